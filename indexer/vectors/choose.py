"""Which vector index a gallery gets, tuned against exact answers."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import numpy as np

from indexer.types import Float32, Int64, VectorIndex
from indexer.vectors.exact import ExactIndex
from indexer.vectors.faiss_index import FaissIndex

FLAT_ROWS: Final = 50_000
"""Up to here comparing with everything takes milliseconds and needs no tuning."""
RECALL: Final = 0.99
NEIGHBOURS: Final = 10
QUERIES: Final = 200
SEED: Final = 20_260_102


@dataclass(frozen=True, slots=True)
class Choice:
    """What was built, and what it cost and delivers.

    `engine` is "faiss" or "milvus", `kind` "flat" or "ivf-sq8"; `parameters` are its settings
    (IVF: nlist, nprobe);
    `recall_at_10` in [0, 1] is the share of the exact 10 nearest others of sampled gallery
    vectors that the index returns; `seconds` is the time to build and tune.
    """

    kind: str
    n: int
    dim: int
    parameters: dict[str, int]
    recall_at_10: float
    seconds: float
    engine: str = "faiss"


class Tunable(VectorIndex, Protocol):
    """An index whose searches visit `nprobe` inverted lists; 0: a flat one, which has none."""

    nprobe: int


Index = TypeVar("Index", bound=Tunable)


def build_vectors(
    ids: Int64, vectors: Float32, flat_rows: int = FLAT_ROWS, wanted: float = RECALL
) -> tuple[FaissIndex, Choice]:
    """The FAISS index for these ids (n,) and unit vectors (n, dim), and why.

    Raises UsageError on ids or vectors that cannot be indexed.
    """

    def make(nlist: int) -> FaissIndex:
        return FaissIndex.ivf(ids, vectors, nlist) if nlist else FaissIndex.flat(ids, vectors)

    return tuned(ids, vectors, make, flat_rows, wanted)


def tuned(
    ids: Int64,
    vectors: Float32,
    make: Callable[[int], Index],
    flat_rows: int = FLAT_ROWS,
    wanted: float = RECALL,
) -> tuple[Index, Choice]:
    """The index of these ids and vectors that `make` gives for a number of lists, and why.

    Flat (no lists) up to `flat_rows`; above, IVF whose nprobe is doubled until recall@10 is as
    `wanted`.
    """
    start = time.perf_counter()
    n, dim = vectors.shape
    nlist = 0 if n <= flat_rows else 1 << round(np.log2(4 * np.sqrt(n)))
    index, truth = make(nlist), _Truth(ids, vectors)
    while (recall := truth.recall(index)) < wanted and index.nprobe < nlist:
        index.nprobe = min(2 * index.nprobe, nlist)
    parameters = {"nlist": nlist, "nprobe": index.nprobe} if nlist else {}
    kind = "ivf-sq8" if nlist else "flat"
    return index, Choice(kind, n, dim, parameters, recall, time.perf_counter() - start)


class _Truth:
    """Exact answers to sampled gallery vectors, each left out of its own answer."""

    def __init__(self, ids: Int64, vectors: Float32) -> None:
        count = min(QUERIES, len(ids))
        rows = np.random.default_rng(SEED).choice(len(ids), count, replace=False)
        self._queries = [(int(ids[row]), np.array(vectors[row])) for row in rows]
        exact = ExactIndex(ids, vectors)
        self._nearest = [self._others(exact, *query) for query in self._queries]

    def recall(self, index: VectorIndex) -> float:
        """The share of the exact answers that `index` returns; 1 when there are none."""
        expected = sum(len(nearest) for nearest in self._nearest)
        found = sum(
            len(nearest & self._others(index, *query))
            for nearest, query in zip(self._nearest, self._queries, strict=True)
        )
        return found / expected if expected else 1.0

    @staticmethod
    def _others(index: VectorIndex, own_id: int, query: Float32) -> set[int]:
        ids, _ = index.search(query, NEIGHBOURS + 1)
        return {int(id_) for id_ in ids if id_ != own_id}
