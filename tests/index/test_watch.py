"""Items come as they come, until whoever they come from is dead."""

import socket
import threading
from collections.abc import Iterator

import pytest

from indexer.errors import LineupError
from indexer.index import watch
from indexer.index.watch import refusal, watched

DEAD = LineupError("it is dead")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "SECONDS", 0.02)


@pytest.fixture
def server() -> Iterator[tuple[str, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}", listening


def test_items_come_in_order_and_an_error_after_those_before_it(
    server: tuple[str, socket.socket],
) -> None:
    def items() -> Iterator[int]:
        yield from range(3)
        raise ValueError("the fourth")

    assert list(watched(range(5), server[0], DEAD)) == list(range(5))
    found = watched(items(), server[0], DEAD)
    assert [next(found) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="the fourth"):
        next(found)


def test_the_slow_are_waited_for_and_the_dead_are_not(server: tuple[str, socket.socket]) -> None:
    address, listening = server
    more = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        more.wait()
        yield 2
        threading.Event().wait()

    found = watched(items(), address, DEAD)
    assert next(found) == 1
    threading.Timer(0.2, more.set).start()
    assert next(found) == 2
    listening.close()
    assert isinstance(refusal(address), ConnectionRefusedError)
    with pytest.raises(LineupError, match="it is dead"):
        next(found)


def test_whoever_stops_listening_stops_the_items(server: tuple[str, socket.socket]) -> None:
    ended, more = threading.Event(), threading.Event()

    def items() -> Iterator[int]:
        try:
            yield 1
            more.wait()
            yield 2
            yield 3
        finally:
            ended.set()

    found = watched(items(), server[0], DEAD)
    assert next(found) == 1
    found.close()  # type: ignore[attr-defined]
    more.set()
    assert ended.wait(5)
