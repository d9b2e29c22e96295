"""Milvus behind the vector index protocol.

Milvus proposes, the exact vectors decide (`indexer.vectors.proposing`): similarities and order
are those of the stored vectors, here, whatever the collection's codes and segments are.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import numpy as np

from indexer.errors import IndexDamaged
from indexer.types import Float32, Int64
from indexer.vectors.choose import FLAT_ROWS, RECALL, Choice, tuned
from indexer.vectors.milvus import MOST, CollectionGone, Milvus
from indexer.vectors.milvus_filter import FIELDS, stored
from indexer.vectors.proposing import compared, decided
from indexer.vectors.ranking import checked_gallery, checked_query, located, positions_of

T = TypeVar("T")

BATCH: Final = 4_096
"""Rows of one request: 4 MB of descriptors, Milvus takes 64."""

FEW: Final = 1_000
"""An expression that keeps at most so many rows is answered by comparing them here; to have the
ids of more sent takes longer than to have them searched."""

Known = Callable[[Int64], Sequence[Mapping[str, Any]]]
"""Ids to what is known of each image, by the fields of a filter."""


class MilvusIndex:
    """A `VectorIndex` on the collection `name`, over the same arrays as `ExactIndex`.

    The collection is written where it is missing or has not as many rows as there are ids:
    when the index is made, and when a search finds it gone. `known` is then asked for the
    fields that expressions may use. `nlist` inverted lists (0: flat) of which a search visits
    `nprobe`. Raises UsageError as `ExactIndex` does, VectorsUnavailable where Milvus fails.
    """

    suffix: Final = "milvus"

    def __init__(
        self,
        milvus: Milvus,
        name: str,
        ids: Int64,
        vectors: Float32,
        known: Known,
        nlist: int = 0,
        nprobe: int = 0,
    ) -> None:
        checked_gallery(ids, vectors)
        self.name: Final = name
        self.ids, self.vectors = ids, vectors
        self.nlist, self.nprobe = nlist, nprobe or min(nlist, 1)
        self._milvus, self._known, self._writing = milvus, known, threading.Lock()
        self._see_to_it()

    @classmethod
    def load(cls, path: Path, milvus: Milvus, ids: Int64, vectors: Float32, known: Known) -> Self:
        """What `save` told of, over the same ids and vectors."""
        return cls(milvus, ids=ids, vectors=vectors, known=known, **json.loads(path.read_text()))

    def save(self, path: Path) -> None:
        """Write which collection it is, and its settings."""
        facts = {"name": self.name, "nlist": self.nlist, "nprobe": self.nprobe}
        path.write_text(json.dumps(facts))

    def __len__(self) -> int:
        return len(self.ids)

    def search(self, query: Float32, k: int, allowed: Int64 | None = None) -> tuple[Int64, Float32]:
        """See `indexer.types.VectorIndex`. The `allowed` are compared one by one, however many
        they are: to send them to Milvus takes longer."""
        checked_query(query, self.vectors.shape[1], k)
        if allowed is not None:
            return self._compared(query, k, positions_of(allowed, self.ids))
        size = len(self.ids)
        return self._decided(query, k, size, self.nprobe, "", lambda: np.arange(size))

    def search_where(self, query: Float32, k: int, expression: str) -> tuple[Int64, Float32]:
        """As `search`, among the rows that an expression of `milvus_filter` keeps.

        FEW are compared one by one; of more all lists are visited, since those near the query
        may hold what the expression leaves out.
        """
        checked_query(query, self.vectors.shape[1], k)
        size = self._asked(lambda: self._milvus.count(self.name, expression))

        def everything() -> Int64:
            return self._matching(expression) if size <= MOST else self._all_matching(expression)

        if size <= FEW:
            return self._compared(query, k, everything())
        return self._decided(query, k, size, self.nlist, expression, everything)

    def _matching(self, expression: str) -> Int64:
        return self._positions(self._asked(lambda: self._milvus.matching(self.name, expression)))

    def _all_matching(self, expression: str) -> Int64:
        parts = (self.ids[start : start + MOST] for start in range(0, len(self.ids), MOST))
        return np.concatenate(
            [
                self._matching(f"id >= {part[0]} and id <= {part[-1]} and ({expression})")
                for part in parts
            ]
        )

    def _decided(
        self,
        query: Float32,
        k: int,
        size: int,
        nprobe: int,
        expression: str,
        everything: Callable[[], Int64],
    ) -> tuple[Int64, Float32]:
        def propose(fetch: int) -> Int64:
            if fetch > MOST:
                return np.empty(0, np.int64)
            return self._positions(
                self._asked(
                    lambda: self._milvus.nearest(self.name, query, fetch, nprobe, expression)
                )
            )

        return decided(self.ids, self.vectors, query, k, size, propose, everything)

    def _compared(self, query: Float32, k: int, positions: Int64) -> tuple[Int64, Float32]:
        return compared(self.ids, self.vectors, query, k, positions)

    def _positions(self, ids: Int64) -> Int64:
        positions, there = located(ids, self.ids)
        if not there.all():
            raise IndexDamaged(
                f"the collection {self.name} holds an image that is not of this generation",
                do="drop it; it is derived and will be written again",
            )
        return positions

    def _asked(self, question: Callable[[], T]) -> T:
        try:
            return question()
        except CollectionGone:
            self._see_to_it()
            return question()

    def _see_to_it(self) -> None:
        with self._writing:
            if self._milvus.holds(self.name, len(self.ids)):
                return
            self._milvus.write(self.name, self.vectors.shape[1], FIELDS, self._rows())
            self._milvus.index(self.name, self.nlist)
            if not self._milvus.holds(self.name, len(self.ids)):
                raise IndexDamaged(
                    f"the collection {self.name} has not the {len(self.ids)} rows it was given",
                    do="drop it; it is derived and will be written again",
                )

    def _rows(self) -> Iterator[list[dict[str, Any]]]:
        for start in range(0, len(self.ids), BATCH):
            ids, vectors = self.ids[start : start + BATCH], self.vectors[start : start + BATCH]
            yield [
                {"id": int(id_), "vector": np.asarray(vector), **stored(row)}
                for id_, vector, row in zip(ids, vectors, self._known(ids), strict=True)
            ]


def build_collection(
    milvus: Milvus,
    name: str,
    ids: Int64,
    vectors: Float32,
    known: Known,
    flat_rows: int = FLAT_ROWS,
    wanted: float = RECALL,
) -> tuple[MilvusIndex, Choice]:
    """As `indexer.vectors.build_vectors`, on Milvus, all of whose rows are indexed before recall
    is measured."""

    def make(nlist: int) -> MilvusIndex:
        return MilvusIndex(milvus, name, ids, vectors, known, nlist)

    index, choice = tuned(ids, vectors, make, flat_rows, wanted)
    return index, replace(choice, engine="milvus")
