"""The head of a request is bounded in bytes and in time, and the memory that it takes with it."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
import uvicorn
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from search_api import protocol
from search_api.protocol import HEAD_BYTES, BoundedProtocol

Say = Callable[[bytes], Awaitable[None]]
MUCH = 8 * 1024 * 1024


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await Response(status_code=204)(scope, receive, send)


async def talk(*parts: bytes, pause: float = 0.0) -> bytes:
    """All that a server says while it is told these parts, with pauses between them."""
    config = uvicorn.Config(
        application, port=0, http=BoundedProtocol, lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    [socket] = server.servers[0].sockets
    reader, writer = await asyncio.open_connection(*socket.getsockname()[:2])
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        return await reader.read()
    except ConnectionError:  # what was said before the reset is still there
        return bytes(reader._buffer)  # type: ignore[attr-defined]
    finally:
        writer.close()
        server.should_exit = True
        await serving


def told(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"connection: close" in head
    assert b"content-type: application/problem+json" in head
    return int(head.split()[1]), json.loads(body)["type"].rpartition(":")[2]


START = b"POST / HTTP/1.1\r\nhost: x\r\n"
CLOSE = b"connection: close\r\n"


@pytest.mark.parametrize(
    "head",
    [b"GET /" + b"a" * MUCH, START + b"a: " + b"b" * MUCH, START + b"a: b\r\n" * (MUCH // 6)],
    ids=["path", "header", "headers"],
)
def test_a_large_head_is_refused_before_it_is_held(head: bytes) -> None:
    assert told(asyncio.run(talk(head))) == (431, "head-too-large")


def test_a_slow_head_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.4)
    slow = asyncio.run(talk(START, b"a: b\r\n", b"a: b\r\n", b"a: b\r\n", pause=0.2))
    assert told(slow) == (408, "request-timeout")
    assert asyncio.run(talk()) == b""


def test_bodies_and_later_requests_have_bounds_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.4)
    head = START + b"a: " + b"b" * (HEAD_BYTES // 2) + b"\r\n"
    body = b"content-length: %d\r\n\r\n" % MUCH + bytes(MUCH)
    answer = asyncio.run(talk(head + body, head + body, head + CLOSE + b"\r\n", pause=0.3))
    assert answer.count(b"HTTP/1.1 204") == 3
    slow_body = START + CLOSE + b"content-length: 3\r\n\r\n"
    assert b"204" in asyncio.run(talk(slow_body, b"a", b"b", b"c", pause=0.3))
