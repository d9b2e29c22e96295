"""Waiting for others without waiting for the dead."""

import socket
from collections.abc import Iterable, Iterator
from queue import Empty, Queue
from threading import Event, Thread
from typing import Final, TypeVar

from indexer.errors import LineupError

T = TypeVar("T")

SECONDS: Final = 5.0
"""So long an answer may take, and so often is asked for one."""
REFUSALS: Final = 3
"""So often in a row somebody must not answer to be taken for dead: he may be restarted."""


def watched(items: Iterable[T], address: str, dead: LineupError) -> Iterator[T]:
    """`items` as they come, from a thread of their own; raises `dead` when none comes and nobody
    answers at `address` (host:port) any more."""
    came: Queue[tuple[T] | BaseException | None] = Queue()
    stop = Event()

    def pull() -> None:
        try:
            for item in items:
                came.put((item,))
                if stop.is_set():
                    return
            came.put(None)
        except BaseException as error:  # noqa: BLE001 raised where it is waited for
            came.put(error)

    Thread(target=pull, daemon=True).start()
    refusals = 0
    try:
        while refusals < REFUSALS:
            try:
                found = came.get(timeout=SECONDS)
            except Empty:
                refusals = refusals + 1 if refusal(address) else 0
                continue
            if found is None:
                return
            if isinstance(found, BaseException):
                raise found
            yield found[0]
    finally:
        stop.set()
    raise dead


def refusal(address: str) -> OSError | None:
    """Why nobody answers at host:port; None when somebody does."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), SECONDS).close()
    except OSError as error:
        return error
    return None
