"""Parts of the inputs, each done by whichever of several builds claims it first."""

import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from indexer.store import Claims, Store
from indexer.types import ImageSource, Shard, SourceItem

PART: Final = 64
"""Inputs that are claimed together."""
PAUSE_SECONDS: Final = 1.0
"""After so long it is seen again what other builds still hold."""


@contextmanager
def alone(claims: Claims, name: str) -> Iterator[None]:
    """Wait until nobody else has claimed `name`, and hold it meanwhile."""
    while not claims.take(name):
        time.sleep(PAUSE_SECONDS)
    yield
    claims.release(name)


class Share:
    """The inputs of the parts that this process can claim; `left` are those that others hold.

    A part is let go when as many outcomes are committed as there were inputs up to its end.
    With `since`, a generation, inputs that others have dealt with after it are left out.
    """

    def __init__(
        self, store: Store, claims: Claims, parts: Iterable[ImageSource], since: int | None = None
    ) -> None:
        self.left: list[ImageSource] = []
        self._store, self._claims, self._parts, self._since = store, claims, parts, since
        self._given = self._committed = 0
        self._ends: deque[tuple[int, str]] = deque()
        self._guard = threading.Lock()

    def __iter__(self) -> Iterator[SourceItem | Shard]:
        for part in self._parts:
            if not self._claims.take(part.name):
                self.left.append(part)
                continue
            for item in self._rest(part):
                self._given += 1
                yield item
            with self._guard:
                self._ends.append((self._given, part.name))
            self.committed(0)

    def committed(self, outcomes: int) -> None:
        """So many more outcomes are durable."""
        with self._guard:
            self._committed += outcomes
            while self._ends and self._ends[0][0] <= self._committed:
                self._claims.release(self._ends.popleft()[1])

    def _rest(self, part: ImageSource) -> Iterable[SourceItem | Shard]:
        if self._since is None:
            return part
        if part.count is None:  # only reading would tell what it holds
            return part.without(self._store.shards())
        items = list(part)
        done = self._store.dealt_with([item.uri for item in items], self._since)
        return [item for item in items if item.uri not in done]
