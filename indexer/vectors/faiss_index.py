"""FAISS behind the vector index protocol; the only module that imports faiss.

FAISS proposes, the exact vectors decide (`indexer.vectors.proposing`).
"""

import os
from pathlib import Path
from typing import Any, Final, Self

import faiss
import numpy as np

from indexer.errors import IndexDamaged
from indexer.types import Float32, Int64
from indexer.vectors.proposing import EXACT_ROWS, compared, decided
from indexer.vectors.ranking import CHUNK, checked_gallery, checked_query, positions_of

TRAINING_PER_LIST: Final = 64
SEED: Final = 20_260_101

# A FAISS file is parser input. The caller has checked its sha256; these bound what a file
# made by another release could ask for (bytes of one vector, turns of one loop).
faiss.set_deserialization_vector_byte_limit(1 << 36)
faiss.set_deserialization_loop_limit(1 << 27)


class FaissIndex:
    """A `VectorIndex` on a flat or an IVF index, over the same arrays as `ExactIndex`.

    `nprobe` is how many inverted lists a search visits (0 for a flat index).
    """

    suffix: Final = "faiss"

    def __init__(self, index: Any, ids: Int64, vectors: Float32) -> None:  # noqa: ANN401
        self._index, self.ids, self.vectors = index, ids, vectors
        self.nprobe = int(index.nprobe) if isinstance(index, faiss.IndexIVF) else 0

    @classmethod
    def flat(cls, ids: Int64, vectors: Float32) -> Self:
        """Compare with everything, by FAISS's kernels."""
        checked_gallery(ids, vectors)
        index = faiss.IndexFlatIP(vectors.shape[1])
        _add(index, vectors)
        return cls(index, ids, vectors)

    @classmethod
    def ivf(cls, ids: Int64, vectors: Float32, nlist: int) -> Self:
        """Inverted lists of 8-bit codes; the same arrays give the same index."""
        checked_gallery(ids, vectors)
        index = faiss.index_factory(vectors.shape[1], f"IVF{nlist},SQ8", faiss.METRIC_INNER_PRODUCT)
        index.cp.seed, index.cp.spherical = SEED, True
        size = min(len(vectors), nlist * TRAINING_PER_LIST)
        sample = np.random.default_rng(SEED).choice(len(vectors), size, replace=False)
        faiss.omp_set_num_threads(os.cpu_count() or 1)
        index.train(np.ascontiguousarray(vectors[np.sort(sample)]))
        _add(index, vectors)
        return cls(index, ids, vectors)

    @classmethod
    def load(cls, path: Path, ids: Int64, vectors: Float32) -> Self:
        """Read what `save` wrote over the same ids and vectors.

        Check the file's sha256 first: FAISS loads flipped bits without a word. Raises
        IndexDamaged if it cannot be read or is not of these vectors.
        """
        try:
            index = faiss.read_index(str(path))
        except RuntimeError as error:
            raise _damaged(f"{path} cannot be read: {error}") from error
        if type(index) not in (faiss.IndexFlatIP, faiss.IndexIVFScalarQuantizer):
            raise _damaged(f"{path} holds a {type(index).__name__}")
        if (index.ntotal, index.d) != vectors.shape or len(ids) != len(vectors):
            raise _damaged(f"{path} is of {index.ntotal} vectors of width {index.d}")
        return cls(index, ids, vectors)

    def save(self, path: Path) -> None:
        """Write to `path`; make it durable and rename it into place afterwards."""
        if self.nprobe:
            self._index.nprobe = self.nprobe
        faiss.write_index(self._index, str(path))

    def __len__(self) -> int:
        return len(self.ids)

    def search(self, query: Float32, k: int, allowed: Int64 | None = None) -> tuple[Int64, Float32]:
        """See `indexer.types.VectorIndex`.

        A filter that keeps at most EXACT_ROWS rows is answered exactly; with a wider one
        the allowed codes of every list are compared, since those near the query may be
        the ones that the filter leaves out.
        """
        checked_query(query, self.vectors.shape[1], k)
        kept = None if allowed is None else positions_of(allowed, self.ids)
        size = len(self.ids) if kept is None else len(kept)
        if kept is not None and size <= EXACT_ROWS:
            return compared(self.ids, self.vectors, query, k, kept)
        return decided(
            self.ids,
            self.vectors,
            query,
            k,
            size,
            propose=lambda fetch: self._candidates(query, fetch, kept),
            everything=lambda: np.arange(size) if kept is None else kept,
        )

    def propose(
        self, queries: Float32, k: int, allowed: Int64 | None = None
    ) -> tuple[Int64, Float32]:
        """What FAISS itself ranks first for each of m unit queries (m, dim), for callers that
        compare again by a measure of their own: ids (m, k) int64, -1 where fewer were found,
        and approximate similarities (m, k) float32.
        """
        kept = None if allowed is None else positions_of(allowed, self.ids)
        faiss.omp_set_num_threads(1)
        similarity, found = self._index.search(queries, k, params=self._parameters(kept))
        ids = np.where(found >= 0, self.ids[np.maximum(found, 0)], -1)
        return ids, similarity

    def neighbours(self, k: int) -> Int64:
        """Positions of the min(k, n - 1) nearest others of every row, nearest first: (n, k).

        As FAISS finds them, by all cores: for graphs, which forgive a neighbour that is missed.
        """
        count = len(self.ids)
        k = min(k, max(count - 1, 0))
        faiss.omp_set_num_threads(os.cpu_count() or 1)
        found = np.empty((count, k), dtype=np.int64)
        for start in range(0, count if k else 0, CHUNK):
            rows = np.arange(start, min(start + CHUNK, count))
            _, near = self._index.search(
                np.ascontiguousarray(self.vectors[rows]), k + 1, params=self._parameters(None)
            )
            # The row itself need not come first, or at all, where others are equal to it.
            last = np.argsort(near == rows[:, None], axis=1, kind="stable")
            found[rows] = np.take_along_axis(near, last, axis=1)[:, :k]
        return found

    def _candidates(self, query: Float32, fetch: int, kept: Int64 | None) -> Int64:
        # Per thread, not per process: request threads bring the parallelism.
        faiss.omp_set_num_threads(1)
        _, found = self._index.search(query[None], fetch, params=self._parameters(kept))
        positions: Int64 = found[0][found[0] >= 0]
        return positions

    def _parameters(self, kept: Int64 | None) -> Any:  # noqa: ANN401
        selector, nprobe = None, self.nprobe
        if kept is not None:
            mask = np.zeros(len(self.ids), dtype=bool)
            mask[kept] = True
            selector = faiss.IDSelectorBitmap(np.packbits(mask, bitorder="little"))
            nprobe = self._index.nlist if nprobe else 0
        if nprobe:
            return faiss.SearchParametersIVF(nprobe=nprobe, sel=selector)
        return faiss.SearchParameters(sel=selector)


def _add(index: Any, vectors: Float32) -> None:  # noqa: ANN401
    for start in range(0, len(vectors), CHUNK):
        index.add(np.ascontiguousarray(vectors[start : start + CHUNK]))


def _damaged(found: str) -> IndexDamaged:
    return IndexDamaged(
        found,
        expected="the vector index of this generation",
        do="delete it; it is derived and will be built again",
    )
