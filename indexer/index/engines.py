"""Where the descriptors of an index are searched: FAISS in this process, or Milvus."""

import hashlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from indexer.store import Store
from indexer.types import Float32, Int64
from indexer.vectors import Choice, FaissIndex, build_vectors
from indexer.vectors.milvus import Milvus
from indexer.vectors.milvus_index import Known, MilvusIndex, build_collection

Vectors = FaissIndex | MilvusIndex
KEY: Final = "vectors"
"""Where a store's reference names a Milvus; absent: FAISS."""


class VectorEngine(Protocol):
    """Makes and opens the vector index of a derived set, of which `suffix` names the file."""

    suffix: str

    def build(self, ids: Int64, descriptors: Float32, covers: int) -> tuple[Vectors, Choice]:
        """The index of the ids (n,) and descriptors (n, dim) of the gallery at a generation."""
        ...

    def load(self, path: Path, ids: Int64, descriptors: Float32, covers: int) -> Vectors:
        """What was saved to `path`, of the same ids, descriptors and generation."""
        ...

    def announce(self, vectors: Vectors) -> None:
        """A derived set with these vectors was published."""
        ...


class InProcess:
    """FAISS; the file is the index."""

    suffix = "faiss"

    def build(
        self,
        ids: Int64,
        descriptors: Float32,
        covers: int,  # noqa: ARG002
    ) -> tuple[FaissIndex, Choice]:
        """See `VectorEngine`."""
        return build_vectors(ids, descriptors)

    def load(
        self,
        path: Path,
        ids: Int64,
        descriptors: Float32,
        covers: int,  # noqa: ARG002
    ) -> FaissIndex:
        """See `VectorEngine`. Raises IndexDamaged."""
        return FaissIndex.load(path, ids, descriptors)

    def announce(self, vectors: Vectors) -> None:
        """See `VectorEngine`; nobody has to be told."""


class OnMilvus:
    """A collection for every projection and generation covered; the file names it.

    Its name is `lineup_<index>_<generation>_<digest of what is in it>`: equal truths share a
    collection, others never meet. The alias `lineup_<index>` names the newest. That one and its
    predecessor, which open galleries may still search, are kept; what is older is dropped, and
    written again if somebody asks for its generation.
    """

    suffix = "milvus"

    def __init__(self, store: Store, url: str) -> None:
        self._store, self._url = store, url
        self._alias = f"lineup_{store.identity[:12]}"

    @cached_property
    def _milvus(self) -> Milvus:
        return Milvus(self._url)

    def build(self, ids: Int64, descriptors: Float32, covers: int) -> tuple[MilvusIndex, Choice]:
        """See `VectorEngine`. Raises VectorsUnavailable."""
        digest = hashlib.sha256(self._store.audit.hash_at(covers).encode())
        for part in (ids, descriptors):
            digest.update(np.ascontiguousarray(part).data)
        name = f"{self._alias}_{covers}_{digest.hexdigest()[:12]}"
        return build_collection(self._milvus, name, ids, descriptors, self._known(covers))

    def load(self, path: Path, ids: Int64, descriptors: Float32, covers: int) -> MilvusIndex:
        """See `VectorEngine`; a collection that is missing or not whole is written again.
        Raises VectorsUnavailable."""
        return MilvusIndex.load(path, self._milvus, ids, descriptors, self._known(covers))

    def announce(self, vectors: Vectors) -> None:
        """See `VectorEngine`. Raises VectorsUnavailable."""
        before = self._milvus.aliased(self._alias)
        if isinstance(vectors, MilvusIndex) and _covers(before) <= _covers(vectors.name):
            self._milvus.point(self._alias, vectors.name)
            if vectors.name != before:
                self._drop_before(_covers(before))

    def _drop_before(self, covers: int) -> None:
        for name in self._milvus.collections(self._alias + "_"):
            if _covers(name) < covers:
                self._milvus.drop(name)

    def _known(self, covers: int) -> Known:
        return lambda ids: self._store.filterable(ids, covers)


def engine_of(store: Store) -> VectorEngine:
    """The engine that a store's reference names. It connects when it is first used."""
    url = store.reference.get(KEY)
    return InProcess() if url is None else OnMilvus(store, url)


def without_engine(reference: Mapping[str, Any]) -> dict[str, Any]:
    """What a store's reference says of the checkpoint, which goes with the encodings."""
    return {key: value for key, value in reference.items() if key != KEY}


def _covers(name: str | None) -> int:
    """The generation that a collection covers; no collection, less than any."""
    return -1 if name is None else int(name.split("_")[2])
