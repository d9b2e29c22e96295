"""Limits on bytes, requests and waiting uploads."""

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hostile import encode, picture
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from indexer.images import sha256
from search_api.app import create_app
from search_api.limits import BodyLimit, RequestLimit
from search_api.problems import respond
from search_api.settings import load_settings

CHUNK = bytes(64 * 1024)
PHOTO = {"image": encode(picture(1), "PNG")}


def form(chunks: int, sent: list[int]) -> Iterator[bytes]:
    """A form with an `image` of so many chunks; `sent` notes each as it is asked for."""
    yield b'--x\r\ncontent-disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
    for number in range(chunks):
        sent.append(number)
        yield CHUNK
    yield b"\r\n--x--\r\n"


FORM = {"content-type": "multipart/form-data; boundary=x"}


def test_a_stream_without_length_is_cut_while_it_comes(
    client: httpx.Client, max_upload_bytes: int
) -> None:
    """A gigabyte is offered; a small part of it is taken."""
    offered = 16 * 1024
    sent: list[int] = []
    response = client.post("/v1/search", content=form(offered, sent), headers=FORM)
    assert (response.status_code, response.json()["type"]) == (
        413,
        "urn:lineup:problem:content-too-large",
    )
    assert response.headers["connection"] == "close"
    assert max_upload_bytes <= len(sent) * len(CHUNK) < offered * len(CHUNK) / 4


def test_a_stream_within_the_limit_is_read_whole(
    client: httpx.Client, max_upload_bytes: int
) -> None:
    sent: list[int] = []
    chunks = max_upload_bytes // len(CHUNK) - 1
    response = client.post("/v1/search", content=form(chunks, sent), headers=FORM)
    assert (response.status_code, response.json()["reason"]) == (422, "not-an-image")
    assert len(sent) == chunks


def test_an_honest_length_is_refused_before_a_byte_is_read(
    client: httpx.Client, max_upload_bytes: int
) -> None:
    connection = HTTPConnection(str(client.base_url.netloc, "ascii"), timeout=10)
    connection.putrequest("POST", "/v1/search")
    for name, value in (FORM | {"content-length": str(max_upload_bytes + 1)}).items():
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    assert response.status == 413
    assert json.load(response)["type"] == "urn:lineup:problem:content-too-large"
    assert response.headers["connection"] == "close"


async def read(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that reads the body."""
    try:
        while (await receive())["more_body"]:
            pass
        response = Response(status_code=204)
    except HTTPException as refused:
        response = respond(refused)
    await response(scope, receive, send)


def test_a_body_that_comes_too_slowly_is_refused() -> None:
    async def drip() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield b"x"
            await asyncio.sleep(0.1)

    async def scenario(seconds: float) -> httpx.Response:
        transport = httpx.ASGITransport(BodyLimit(read, 100, 100, seconds))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.post("/", content=drip())

    assert asyncio.run(scenario(5)).status_code == 204
    refused = asyncio.run(scenario(0.25))
    assert (refused.status_code, refused.json()["type"]) == (
        408,
        "urn:lineup:problem:request-timeout",
    )
    assert refused.headers["connection"] == "close"


def test_bodies_are_bounded_together_and_room_comes_back() -> None:
    async def scenario() -> None:
        more, held = asyncio.Event(), asyncio.Event()

        async def body(first: int, last: int) -> AsyncIterator[bytes]:
            yield bytes(first)
            held.set()
            await more.wait()
            yield bytes(last)

        transport = httpx.ASGITransport(BodyLimit(read, 100, 100, 5))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            working = asyncio.create_task(client.post("/", content=body(60, 40)))
            await held.wait()
            refused = await client.post("/", content=bytes(41))
            assert (refused.status_code, refused.json()["type"]) == (
                503,
                "urn:lineup:problem:overloaded",
            )
            assert refused.headers["retry-after"] == "1"
            assert (await client.post("/", content=bytes(40))).status_code == 204
            more.set()
            assert (await working).status_code == 204
            assert (await client.post("/", content=bytes(100))).status_code == 204

    asyncio.run(scenario())


def test_requests_beyond_the_limit_are_refused_and_health_is_not() -> None:
    asyncio.run(_requests_beyond_the_limit())


async def _requests_beyond_the_limit() -> None:
    release = asyncio.Event()

    async def slow(scope: Scope, _: Receive, send: Send) -> None:
        if scope["path"] != "/health/live":
            await release.wait()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    transport = httpx.ASGITransport(RequestLimit(slow, max_requests=2))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        working = [asyncio.create_task(client.get("/v1/x")) for _ in range(2)]
        await asyncio.sleep(0.05)
        refused = await client.get("/v1/x")
        assert (refused.status_code, refused.json()["type"], refused.headers["retry-after"]) == (
            503,
            "urn:lineup:problem:overloaded",
            "1",
        )
        assert (await client.get("/health/live")).status_code == 204
        release.set()
        assert [(await task).status_code for task in working] == [204, 204]
        assert (await client.get("/v1/x")).status_code == 204


@pytest.fixture
def strained(index_path: Path) -> Iterator[tuple[TestClient, FastAPI]]:
    """A service of little patience."""
    app: FastAPI = create_app(
        load_settings(index=index_path, max_queue=1, model_timeout=0.5, hung_after=0.8)
    )
    with TestClient(app, base_url="http://localhost") as client:
        yield client, app


def test_a_hung_model_turns_readiness_red_until_it_answers(
    strained: tuple[TestClient, FastAPI], gallery: Path
) -> None:
    client, app = strained
    assert client.get("/health/ready").json()["status"] == "ready"
    os.kill(app.state.service.model.pid, signal.SIGSTOP)
    upload = client.post("/v1/search", files=PHOTO)
    assert (upload.status_code, upload.json()["detail"]) == (
        503,
        "the model has not answered within 0.5 s; try again later",
    )
    time.sleep(0.8)
    red = client.get("/health/ready")
    assert (red.status_code, red.json()["type"]) == (503, "urn:lineup:problem:model-unavailable")
    assert red.json()["detail"].startswith("the model has made no step for more than 0.8 s")
    assert client.get("/health/live").json() == {"status": "live"}
    known = sha256((gallery / "real/0.png").read_bytes())
    assert client.post("/v1/search", json={"id": known}).status_code == 200
    with ThreadPoolExecutor() as pool:
        uploads = [pool.submit(client.post, "/v1/search", files=PHOTO) for _ in range(4)]
    codes = {upload.result().json()["type"].split(":")[-1] for upload in uploads}
    assert codes == {"overloaded", "model-unavailable"}
    os.kill(app.state.service.model.pid, signal.SIGCONT)
    while client.get("/health/ready").status_code != 200:
        time.sleep(0.05)
    assert client.post("/v1/search", files=PHOTO).status_code == 200
