"""Keys, scopes and quotas: who gets in, how far, how often."""

import re
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.routing import BaseRoute, Mount, Route

from indexer.encoder import load_encoder
from indexer.errors import NotFound, UsageError
from indexer.index import Index
from indexer.store import Store
from indexer.types import Passport
from search_api import access, keys
from search_api.access import NEEDED, OPEN, Access, Keyring, Rules
from search_api.app import create_app
from search_api.cli import search_api
from search_api.problems import TooManyRequests
from search_api.quota import Quotas
from search_api.settings import load_settings

PASSPORT = Passport("0" * 64, "{}", ("1.cls",), 1, 4, "fp32")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.create(tmp_path / "truth.sqlite", PASSPORT, {}) as store:
        yield store


def command(*arguments: str) -> str:
    """What `search-api keys ...` prints on stdout."""
    result = CliRunner().invoke(search_api, ["keys", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


def put(store: Store, name: str, *scopes: str) -> str:
    key, kept = keys.new_key(name, frozenset(scopes))
    with store.commit("key added", "test") as txn:
        txn.add_key(kept)
    return key


def test_a_key_is_kept_as_a_salted_digest_only(store: Store, tmp_path: Path) -> None:
    key = put(store, "desk", "read")
    secret = key.split("_", 2)[2]
    dump = "\n".join(sqlite3.connect(tmp_path / "truth.sqlite").iterdump())
    assert "desk" in dump
    assert secret not in dump
    assert secret.encode().hex() not in dump.lower()
    [kept] = store.api_keys()
    assert (kept.name, kept.scopes, kept.added_gen) == ("desk", {"read"}, 1)
    assert keys.is_of(key, kept)


def test_a_key_is_itself_only(store: Store) -> None:
    key = put(store, "desk", "read")
    [kept] = store.api_keys()
    head, secret = key[: -len(key.split("_", 2)[2])], key.split("_", 2)[2]
    swapped = "A" if secret[0] != "A" else "B"
    for other in ("", "lineup_", head, key[:-1], key + "x", head + swapped + secret[1:]):
        assert not keys.is_of(other, kept)
    again, _ = keys.new_key("desk", frozenset({"read"}))
    assert not keys.is_of(again, kept)


@pytest.mark.parametrize(
    ("name", "scopes", "found"),
    [("", {"read"}, "the name ''"), ("a b", {"read"}, "the name 'a b'"), ("a", {"x"}, "scope 'x'")],
)
def test_a_bad_key_is_refused(name: str, scopes: set[str], found: str) -> None:
    with pytest.raises(UsageError, match=found):
        keys.new_key(name, frozenset(scopes))


def test_names_are_unique_while_they_live_and_every_change_is_a_generation(store: Store) -> None:
    put(store, "desk", "read")
    with pytest.raises(UsageError, match="a key named desk"):
        put(store, "desk", "admin")
    with store.commit("key revoked", "test") as txn:
        txn.revoke_key("desk")
    assert store.api_keys() == []
    with (
        pytest.raises(NotFound, match="no key named desk"),
        store.commit("key revoked", "test") as txn,
    ):
        txn.revoke_key("desk")
    put(store, "desk", "admin")
    assert [key.scopes for key in store.api_keys()] == [{"admin"}]
    assert [made.kind for made in store.generations()] == ["key added", "key revoked", "key added"]


# -- routes


def served(routes: list[BaseRoute]) -> Iterator[tuple[str, str]]:
    """(method, path) of routes, of those in included routers and of mounts."""
    for route in routes:
        if isinstance(route, Mount):
            yield "GET", f"{route.path}/{{path:path}}"
        elif isinstance(route, Route):
            yield from ((method, route.path) for method in (route.methods or ()) - {"HEAD"})
        else:
            yield from served(route.original_router.routes)  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def app(index_path: Path) -> FastAPI:
    return create_app(load_settings(index=index_path))


def test_every_route_says_which_scope_it_needs(app: FastAPI) -> None:
    assert set(served(app.routes)) == NEEDED.keys()
    assert set(NEEDED.values()) <= {*keys.SCOPES, OPEN}


def test_the_document_says_which_scope_each_operation_needs(app: FastAPI) -> None:
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            needed = NEEDED[method.upper(), path]
            assert operation.get("security") == (None if needed == OPEN else [{"key": [needed]}])
            assert ({"401", "403", "429"} <= operation["responses"].keys()) == (needed != OPEN)


@pytest.mark.parametrize(
    ("method", "path", "found"),
    [
        ("GET", "/v1/x", ("/v1/x", "read")),
        ("POST", "/v1/x", None),
        ("GET", "/v1/x/1/y", ("/v1/x/{id}/y", "label")),
        ("GET", "/v1/x/1/2/y", None),
        ("GET", "/v1/x/1", None),
        ("GET", "/v1.x", None),
        ("GET", "/files/a/b", ("/files/{path:path}", OPEN)),
        ("GET", "/files/", None),
    ],
)
def test_a_path_finds_its_rule(method: str, path: str, found: tuple[str, str] | None) -> None:
    needed = {("GET", "/v1/x"): "read", ("GET", "/v1/x/{id}/y"): "label"}
    assert Rules({**needed, ("GET", "/files/{path:path}"): OPEN}).find(method, path) == found


# -- a small application behind the middleware


class Small:
    """A store behind `Access`, with one route of each scope; `release` lets slow answers go."""

    def __init__(self, store: Store, *, required: bool = False, **quota: Any) -> None:
        self.app, self.release = FastAPI(), threading.Event()
        self.entered = threading.Semaphore(0)
        self.app.state.service = self
        self.keyring = Keyring(store, required=required)
        self.quotas = Quotas(**{"rate": 1000.0, "at_once": 2, **quota})
        for scope in (*keys.SCOPES, OPEN):
            self.app.get(f"/{scope}")(self._who if scope != OPEN else self._open)
        self.app.get("/slow")(self._slow)
        self.app.add_middleware(Access)
        self.client = TestClient(self.app)

    async def _who(self, caller: access.CallerOf) -> str:
        return caller.name

    async def _open(self) -> str:
        return "open"

    def _slow(self) -> None:
        self.entered.release()
        self.release.wait(10)

    def get(self, path: str, key: str | None = None) -> Any:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        return self.client.get(path, headers=headers)

    def statuses(self, key: str | None) -> dict[str, int]:
        return {path: self.get(f"/{path}", key).status_code for path in (*keys.SCOPES, OPEN)}


@pytest.fixture
def small(store: Store, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Small]:
    needed = {("GET", f"/{scope}"): scope for scope in (*keys.SCOPES, OPEN)}
    monkeypatch.setattr(access, "RULES", Rules({**needed, ("GET", "/slow"): "read"}))
    monkeypatch.setattr(access, "FRESH_SECONDS", 0.0)
    return lambda **options: Small(store, **options)


ALL = dict.fromkeys((*keys.SCOPES, OPEN), 200)
NONE = dict.fromkeys(keys.SCOPES, 401) | {OPEN: 200}


def test_without_keys_everybody_is_let_in_unless_keys_are_required(
    small: Callable[..., Small],
) -> None:
    assert small().statuses(None) == ALL
    assert small().get("/read").json() == "anonymous"
    assert small(required=True).statuses(None) == NONE


def test_scopes(small: Callable[..., Small], store: Store) -> None:
    service = small()
    given = {scope: put(store, f"of-{scope}", scope) for scope in keys.SCOPES}
    both = put(store, "both", "read", "label")
    assert service.statuses(None) == NONE
    assert service.statuses(f"lineup_{'0' * 12}_{secrets.token_urlsafe(32)}") == NONE
    for scope in ("read", "label", "ingest"):
        assert service.statuses(given[scope]) == dict.fromkeys(keys.SCOPES, 403) | {
            scope: 200,
            OPEN: 200,
        }
    assert service.statuses(given["admin"]) == ALL
    assert service.statuses(both) == {**ALL, "ingest": 403, "admin": 403}
    assert service.get("/label", both).json() == "both"


def test_refusals_say_what_is_missing(small: Callable[..., Small], store: Store) -> None:
    service, key = small(), put(store, "desk", "read")
    nobody = service.get("/read")
    assert nobody.headers["www-authenticate"] == 'Bearer realm="lineup"'
    assert nobody.json()["type"] == "urn:lineup:problem:unauthenticated"
    assert service.get("/nowhere").status_code == 401
    assert service.get("/nowhere", key).status_code == 404
    answer = service.get("/ingest", key).json()
    assert answer["type"] == "urn:lineup:problem:forbidden"
    assert answer["detail"] == "the key desk has the scopes read; expected ingest"
    for header in ("", "Bearer", f"Basic {key}", f"Bearer {key} {key}", key):
        response = service.client.get("/read", headers={"Authorization": header})
        assert response.status_code == 401


def test_a_revoked_key_is_out(small: Callable[..., Small], store: Store) -> None:
    service, first, second = small(), put(store, "first", "read"), put(store, "second", "read")
    assert service.get("/read", first).status_code == 200
    with store.commit("key revoked", "test") as txn:
        txn.revoke_key("first")
    assert service.get("/read", first).status_code == 401
    assert service.get("/read", second).status_code == 200


def test_a_key_has_so_many_requests_at_once(small: Callable[..., Small], store: Store) -> None:
    service, key, other = small(), put(store, "desk", "read"), put(store, "other", "read")
    threads = [threading.Thread(target=service.get, args=("/slow", key)) for _ in range(2)]
    for thread in threads:
        thread.start()
        assert service.entered.acquire(timeout=10)
    refused = service.get("/read", key)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert refused.json()["type"] == "urn:lineup:problem:too-many-requests"
    assert service.get("/read", other).status_code == 200
    service.release.set()
    for thread in threads:
        thread.join()
    assert service.get("/read", key).status_code == 200


def test_answers_carry_what_is_left(small: Callable[..., Small], store: Store) -> None:
    service, key = small(rate=0.5), put(store, "desk", "read")
    first = service.get("/read", key)
    assert first.headers["ratelimit-policy"] == '"key";q=1;w=2'
    assert first.headers["ratelimit"] == '"key";r=0;t=2'
    refused = service.get("/read", key)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "2")
    assert service.get("/open", key).status_code == 200


def test_the_bucket_fills_as_time_goes_by() -> None:
    quotas = Quotas(rate=2.0, at_once=10)
    for _ in range(4):
        quotas.enter("a", 100.0)
    with pytest.raises(TooManyRequests) as refused:
        quotas.enter("a", 100.0)
    assert refused.value.headers == {
        "RateLimit-Policy": '"key";q=4;w=2',
        "RateLimit": '"key";r=0;t=2',
        "Retry-After": "1",
    }
    assert quotas.enter("b", 100.0)["RateLimit"] == '"key";r=3;t=1'
    assert quotas.enter("a", 100.5)["RateLimit"] == '"key";r=0;t=2'
    assert quotas.enter("a", 200.0)["RateLimit"] == '"key";r=3;t=1'


# -- the command


def test_the_command_adds_lists_and_revokes(index_path: Path, tmp_path: Path) -> None:
    with Index.open(index_path) as known:
        reference = known.store.reference["load"]
    Index.create(tmp_path / "my.index", load_encoder(**reference)).close()
    at = ("--index", str(tmp_path / "my.index"))
    key = command("add", "newsroom", *at, "--scopes", "read,label")
    assert re.fullmatch(r"lineup_[0-9a-f]{12}_\S{43}", key)
    assert command("list", *at) == f"newsroom\tlabel,read\t{key[:20]}...\tgeneration 1"
    command("revoke", "newsroom", *at)
    assert command("list", *at) == ""
