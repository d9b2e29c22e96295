"""What the page is made of, and that it needs nothing else."""

from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser
from serving import Server

import search_api

FILES = Path(search_api.__file__).parent / "page"


def test_the_page_says_what_a_browser_may_do_with_it(server: Server) -> None:
    response = httpx.get(server.url)
    policy = dict(
        directive.split(" ", 1)
        for directive in response.headers["content-security-policy"].split("; ")
    )
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' blob:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.text == (FILES / "index.html").read_text()


@pytest.mark.parametrize("name", sorted(file.name for file in FILES.iterdir()))
def test_an_asset_is_sent_once_and_then_asked_for(server: Server, name: str) -> None:
    first = httpx.get(f"{server.url}/assets/{name}")
    assert first.content == (FILES / name).read_bytes()
    kinds = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
    assert first.headers["content-type"].startswith(kinds.get(name.split(".")[-1], "text/html"))
    assert first.headers["cache-control"] == "no-cache"
    again = httpx.get(
        f"{server.url}/assets/{name}", headers={"if-none-match": first.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["nothing.js", "../app.py", "..%2fapp.py", "%2e%2e/app.py", ""])
def test_nothing_else_is_sent(server: Server, path: str) -> None:
    response = httpx.get(f"{server.url}/assets/{path}")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


def test_everything_is_loaded_from_the_service_itself(browser: Browser, server: Server) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(server.url, wait_until="networkidle")
        assert len(asked) > 5
        assert [url for url in asked if not url.startswith(server.url + "/")] == []
