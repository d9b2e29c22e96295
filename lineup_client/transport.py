"""Requests and typed answers over HTTP; waiting where the service asks to."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, TypedDict, TypeVar, Unpack

import httpx
from pydantic import TypeAdapter

from lineup_client.problem import Problem, ProblemError

T = TypeVar("T")
BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)


class Body(TypedDict, total=False):
    """What a request carries, as httpx takes it."""

    json: Any
    data: Mapping[str, Any]
    files: Any
    params: Mapping[str, Any]


class Transport:
    """Asks one service. A busy answer (429, 503) is asked for again after its `Retry-After`, as
    long as that lies within `patience` seconds of the first try; the service has then done
    nothing, so nothing happens twice."""

    def __init__(self, http: httpx.Client, patience: float) -> None:
        self.http, self.patience = http, patience
        self._adapters: dict[type[Any], TypeAdapter[Any]] = {}

    def ask(
        self, kind: type[T], method: str, path: str, *, patient: bool = True, **body: Unpack[Body]
    ) -> T:
        """The answer, read as a `kind`. Raises ProblemError and httpx.TransportError."""
        with self.open(method, path, patient=patient, **body) as response:
            return self._adapter(kind).validate_json(response.read())

    def read(self, method: str, path: str, **body: Unpack[Body]) -> bytes:
        """The bytes of an answer. Raises ProblemError and httpx.TransportError."""
        with self.open(method, path, **body) as response:
            return response.read()

    @contextmanager
    def open(
        self, method: str, path: str, *, patient: bool = True, **body: Unpack[Body]
    ) -> Iterator[httpx.Response]:
        """An answer of success whose body is yet to be read. Raises as `read` does."""
        until = time.monotonic() + (self.patience if patient else 0)
        while True:
            with self.http.stream(method, path, **body) as response:
                if response.is_success:
                    yield response
                    return
                response.read()
                wait = _retry_after(response)
                if wait is None or time.monotonic() + wait > until:
                    raise ProblemError(Problem.of(response))
            time.sleep(wait)

    def _adapter(self, kind: type[T]) -> TypeAdapter[T]:
        """How a `kind` is read; slow to make, so it is made once."""
        if kind not in self._adapters:
            self._adapters[kind] = TypeAdapter(kind)
        return self._adapters[kind]


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds, given as such or as a date; None for an answer that waiting does not change."""
    said = response.headers.get("retry-after")
    if said is None or response.status_code not in BUSY:
        return None
    if said.isdigit():
        return float(said)
    try:
        return max(0.0, (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds())
    except ValueError:
        return None
