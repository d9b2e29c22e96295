"""HTTP/1.1 as uvicorn speaks it, with bounds on what comes before any middleware is asked: the
request line and the headers."""

import asyncio
from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from search_api.problems import respond

HEAD_BYTES: Final = 64 * 1024
HEAD_SECONDS: Final = 10.0


class BoundedProtocol(HttpToolsProtocol):
    """Refuses a request whose head is of more than about `HEAD_BYTES` with 431, one whose head
    is not whole after `HEAD_SECONDS` with 408, and closes the connection; one that says nothing
    at all is closed after the same time."""

    _head_bytes = 0
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_whole()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._patience is not None:
            if self._head_bytes > HEAD_BYTES:
                self._refuse(431, f"headers of more than {HEAD_BYTES:,} bytes")
                return
            self._head_bytes += len(data)
        super().data_received(data)

    def on_message_begin(self) -> None:
        if self._patience is None:  # a later request of the same connection
            self._await_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head_is_whole()
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._head_bytes = 0
        self._patience = self.loop.call_later(HEAD_SECONDS, self._late)

    def _head_is_whole(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _late(self) -> None:
        if self._head_bytes:
            self._refuse(408, f"headers that were not there within {HEAD_SECONDS:g} s")
        else:
            self.transport.close()

    def _refuse(self, status: int, detail: str) -> None:
        self._head_is_whole()
        self.logger.warning("refused: %s", detail)
        answer = respond(HTTPException(status, detail))
        head = [
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode(),
            *(name + b": " + value for name, value in answer.raw_headers),
            b"connection: close\r\n\r\n",
        ]
        self.transport.write(b"\r\n".join(head) + answer.body)
        self.transport.close()
