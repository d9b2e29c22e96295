"""Other sites' pages in a browser of the same machine reach nothing."""

import shutil
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hostile import encode, picture

from indexer.index import Index
from search_api import access
from search_api.keys import new_key
from search_api.origins import Origins, is_loopback

PHOTO = {"image": encode(picture(8400), "PNG")}


def test_a_form_of_another_site_adds_nothing(client: httpx.Client, index: Index) -> None:
    before = index.store.audit.head
    for site in ("cross-site", "same-site"):
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}
        refused = client.post("/v1/images", files=PHOTO, headers=headers)
        assert (refused.status_code, refused.json()["type"]) == (
            403,
            "urn:lineup:problem:cross-site",
        )
        form = headers | {"Sec-Fetch-Mode": "navigate"}
        assert client.post("/v1/search", files=PHOTO, headers=form).status_code == 403
        assert client.get("/v1/decisions", headers=headers).status_code == 403
    assert index.store.audit.head == before


def test_what_looks_like_a_form_is_not_read_as_json(client: httpx.Client, index: Index) -> None:
    """A page may send text/plain anywhere without asking first."""
    before = index.store.audit.head
    body = b'{"images": ["%s"], "label": "real"}' % (b"0" * 64)
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        sent = client.post("/v1/labels", content=body, headers={"content-type": kind})
        assert (sent.status_code, sent.json()["type"]) == (
            422,
            "urn:lineup:problem:invalid-request",
        )
    assert index.store.audit.head == before


def test_links_and_ones_own_page_are_answered(client: httpx.Client) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert client.get("/", headers=link).status_code == 200
    for site in ("same-origin", "none"):
        assert client.get("/v1/decisions", headers={"Sec-Fetch-Site": site}).status_code == 200


def asked(client: httpx.Client, host: str) -> tuple[int, str]:
    connection = HTTPConnection(str(client.base_url.netloc, "ascii"), timeout=10)
    connection.putrequest("GET", "/v1/decisions", skip_host=True)
    connection.putheader("host", host)
    connection.endheaders()
    response = connection.getresponse()
    return response.status, response.read().decode()


@pytest.mark.parametrize("host", ["localhost", "localhost:80", "127.0.0.1", "127.9.9.9", "[::1]:9"])
def test_names_of_this_machine_are_answered(client: httpx.Client, host: str) -> None:
    assert asked(client, host)[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        "rebound.example",
        "10.0.0.1",
        "localhost.example",
        "127.0.0.1.example",
        "",
        "[::1",
        "0.0.0.0",
    ],
)
def test_another_name_that_points_here_is_not(client: httpx.Client, host: str) -> None:
    status, body = asked(client, host)
    assert status == 403
    assert "search-api keys add" in body


class Small:
    """A store's keys behind `Origins`."""

    def __init__(self, index: Index, host: str) -> None:
        app = FastAPI()
        app.state.service = self
        self.keyring = access.Keyring(index.store, required=False)
        app.get("/")(lambda: "here")
        app.add_middleware(Origins, host=host)
        self.client = TestClient(app, base_url="http://lineup.example")


def test_with_a_key_or_beyond_this_machine_any_name_will_do(index: Index, tmp_path: Path) -> None:
    assert Small(index, "127.0.0.1").client.get("/").status_code == 403
    assert Small(index, "0.0.0.0").client.get("/").status_code == 200
    shutil.copytree(index.path, tmp_path / "my.index")
    with Index.open(tmp_path / "my.index") as keyed:
        with keyed.store.commit("key added", "test") as txn:
            txn.add_key(new_key("desk", frozenset({"read"}))[1])
        assert Small(keyed, "127.0.0.1").client.get("/").status_code == 200


def test_loopback() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.255.0.1", "::1", "localhost")))
    assert not any(
        map(is_loopback, ("0.0.0.0", "::", "", "10.0.0.1", "localhost.x", "::ffff:1.1.1.1"))
    )
