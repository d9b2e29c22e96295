"""Who may do what: every route with the scope that it needs, in one place.

Pure ASGI and outside the router, so that nothing of a request is read before its key is known.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from indexer.errors import LineupError
from indexer.store import ApiKey, Store
from search_api import keys
from search_api.problems import Forbidden, Unauthenticated, respond
from search_api.quota import Quotas

OPEN: Final = "open"
"""For routes that tell nothing of the gallery: they need no key."""

NEEDED: Final[Mapping[tuple[str, str], str]] = {
    ("GET", "/"): OPEN,
    ("GET", "/assets/{path:path}"): OPEN,
    ("GET", "/health/live"): OPEN,
    ("GET", "/health/ready"): OPEN,
    ("GET", "/openapi.json"): OPEN,
    ("GET", "/metrics"): "read",
    ("GET", "/v1/images/{sha256}"): "read",
    ("GET", "/v1/images/{sha256}/thumbnail"): "read",
    ("GET", "/v1/images/{sha256}/maps"): "read",
    ("GET", "/v1/families"): "read",
    ("GET", "/v1/families/{family}"): "read",
    ("GET", "/v1/families/{family}/members"): "read",
    ("GET", "/v1/map"): "read",
    ("GET", "/v1/decisions"): "read",
    ("PATCH", "/v1/families/{family}"): "label",
    ("POST", "/v1/families/{family}/merge"): "label",
    ("POST", "/v1/families/{family}/split"): "label",
    ("POST", "/v1/families/{family}/pin"): "label",
    ("POST", "/v1/families/{family}/reject"): "label",
    ("POST", "/v1/decisions/{number}/undo"): "label",
    ("POST", "/v1/labels"): "label",
    ("POST", "/v1/images"): "ingest",
    ("DELETE", "/v1/images/{sha256}"): "admin",
    ("POST", "/v1/search"): "read",
    ("POST", "/v1/maps"): "read",
    ("POST", "/v1/reports"): "read",
    ("POST", "/v1/search:batch"): "read",
}
"""(method, path of the route) -> scope. A request to anything else needs a key of any scope."""

FRESH_SECONDS: Final = 1.0
"""A key that is added or revoked by another process is noticed within so many seconds."""

AUTHORIZATION: Final = re.compile(r"bearer +(\S+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `key_id` is None where no key is needed."""

    name: str
    scopes: frozenset[str]
    key_id: str | None = None


ANONYMOUS: Final = Caller("anonymous", frozenset(keys.SCOPES))


class Keyring:
    """The live keys of an index, kept in memory and read again when they are not fresh."""

    def __init__(self, store: Store, *, required: bool) -> None:
        """`required`: a key is needed even while none exists."""
        self._store, self._required = store, required
        self._keys: dict[str, ApiKey] = {key.key_id: key for key in store.api_keys()}
        self._read_at = time.monotonic()

    @property
    def required(self) -> bool:
        """Whether a request needs a key: as soon as there is one, or always."""
        return self._required or bool(self._keys)

    async def caller(self, authorization: str | None) -> Caller:
        """Who sends this Authorization header. Raises Unauthenticated."""
        if time.monotonic() - self._read_at > FRESH_SECONDS:
            self._read_at = time.monotonic()
            self._keys = {key.key_id: key for key in await run_in_threadpool(self._store.api_keys)}
        if not self.required:
            return ANONYMOUS
        bearer = AUTHORIZATION.fullmatch(authorization or "")
        if bearer is None:
            raise Unauthenticated("no key", expected="the header Authorization: Bearer lineup_...")
        known = self._keys.get(keys.key_id(bearer[1]) or "")
        if known is None or not keys.is_of(bearer[1], known):
            raise Unauthenticated("a key that is unknown or revoked")
        return Caller(known.name, known.scopes, known.key_id)


class Rules:
    """`NEEDED`, ready to be asked for the path of a request."""

    def __init__(self, needed: Mapping[tuple[str, str], str]) -> None:
        self._exact = {key: (key[1], scope) for key, scope in needed.items() if "{" not in key[1]}
        self._patterns = [
            (method, re.compile(_pattern(path)), (path, scope))
            for (method, path), scope in needed.items()
            if "{" in path
        ]

    def find(self, method: str, path: str) -> tuple[str, str] | None:
        """The route's path and the scope that it needs; None where there is no such route."""
        if found := self._exact.get((method, path)):
            return found
        for allowed, pattern, rule in self._patterns:
            if allowed == method and pattern.fullmatch(path):
                return rule
        return None


def _pattern(path: str) -> str:
    return "".join(
        (".+" if ":path" in part else "[^/]+") if part.startswith("{") else re.escape(part)
        for part in re.split(r"(\{\w+(?::path)?\})", path)
    )


RULES: Final = Rules(NEEDED)


class Access:
    """ASGI middleware: refuses who may not, and counts the use of every key."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        rule = RULES.find(scope["method"], scope["path"])
        if rule is not None and rule[1] == OPEN:
            await self.app(scope, receive, send)
            return
        service = scope["app"].state.service
        try:
            caller = await service.keyring.caller(Headers(scope=scope).get("authorization"))
            _check(caller, rule)
            quota = _enter(service.quotas, caller)
        except LineupError as error:
            await respond(error)(scope, receive, send)
            return
        scope["caller"] = caller

        async def send_with_quota(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(quota)
            await send(message)

        try:
            await self.app(scope, receive, send_with_quota if quota else send)
        finally:
            if caller.key_id is not None:
                service.quotas.leave(caller.key_id)


def _check(caller: Caller, rule: tuple[str, str] | None) -> None:
    if rule is not None and not caller.scopes & {rule[1], "admin"}:
        raise Forbidden(
            f"the key {caller.name} has the scopes {', '.join(sorted(caller.scopes))}",
            expected=rule[1],
        )


def _enter(quotas: Quotas, caller: Caller) -> dict[str, str]:
    return {} if caller.key_id is None else quotas.enter(caller.key_id, time.monotonic())


def caller_of(request: Request) -> Caller:
    """Who asks: the author of what the request writes."""
    caller: Caller = request.scope["caller"]
    return caller


async def _caller(request: Request) -> Caller:
    return caller_of(request)


CallerOf = Annotated[Caller, Depends(_caller)]
"""Who asks: the author of what the request writes."""


def describe(document: dict[str, Any], refusals: dict[int | str, dict[str, Any]]) -> None:
    """Write into an OpenAPI document which scope each operation needs, and `refusals`, the
    responses that any operation with a scope may give."""
    document["components"]["securitySchemes"] = {
        "key": {
            "type": "http",
            "scheme": "bearer",
            "description": "A key from `search-api keys add`; needed once there is one.",
        }
    }
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            needed = NEEDED[method.upper(), path]
            if needed != OPEN:
                operation["security"] = [{"key": [needed]}]
                for status, response in refusals.items():
                    operation["responses"].setdefault(str(status), response)
