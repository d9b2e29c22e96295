"""Limits on what clients may make the service hold: body bytes and requests at once.

Pure ASGI, since bodies must be counted while they stream: Starlette reads an upload without a
limit before a route runs, and its own body limit answers in plain text.
"""

import asyncio
import time

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from search_api.problems import Overloaded, respond

UNLIMITED = "/health/"
"""Paths under it are answered however busy the service is."""


class BodyLimit:
    """Refuses a request body of more than `max_bytes` with 413, one that takes more than
    `seconds` to come with 408, and one that would bring those in work over `max_memory` bytes
    together with 503, and closes the connection.

    A Content-Length that admits too much is refused at once; one that does not is not trusted.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, max_memory: int, seconds: float) -> None:
        self.app, self.max_bytes, self.max_memory = app, max_bytes, max_memory
        self.seconds = seconds
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = int(Headers(scope=scope).get("content-length", 0))  # the server checks digits
        received, whole = 0, False
        until = time.monotonic() + self.seconds

        async def counted() -> Message:
            nonlocal received, whole
            if declared > self.max_bytes:
                raise self._too_large()
            if whole:  # what comes now is that the client has gone, whenever that is
                return await receive()
            try:
                async with asyncio.timeout(until - time.monotonic()):
                    message = await receive()
            except TimeoutError:
                raise self._too_slow() from None
            size = len(message.get("body", b""))
            received += size
            self._held += size
            whole = not message.get("more_body", False)
            if received > self.max_bytes:
                raise self._too_large()
            if self._held > self.max_memory:
                raise self._too_many()
            return message

        try:
            await self.app(scope, counted, send)
        finally:
            self._held -= received

    def _too_slow(self) -> HTTPException:
        return HTTPException(
            408,
            f"a request body that was not there within {self.seconds:g} s",
            {"Connection": "close"},
        )

    def _too_many(self) -> HTTPException:
        return HTTPException(
            503,
            f"request bodies of {self.max_memory:,} bytes are in work; try again later",
            {"Connection": "close"},
        )

    def _too_large(self) -> HTTPException:
        # FastAPI lets an HTTPException through wherever it reads a body.
        return HTTPException(
            413,
            f"a request body of more than {self.max_bytes:,} bytes; expected at most that",
            {"Connection": "close"},
        )


class RequestLimit:
    """Refuses requests with 503 while `max_requests` are in work."""

    def __init__(self, app: ASGIApp, max_requests: int) -> None:
        self.app, self.max_requests = app, max_requests
        self._working = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(UNLIMITED):
            await self.app(scope, receive, send)
        elif self._working >= self.max_requests:
            refused = Overloaded(f"{self._working} requests are in work", do="try again later")
            await respond(refused)(scope, receive, send)
        else:
            self._working += 1
            try:
                await self.app(scope, receive, send)
            finally:
                self._working -= 1
