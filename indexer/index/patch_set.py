"""The searchable patches of one gallery: derived from the truth, disposable, made on demand.

`derived/patches/<generation>/` lies apart from the descriptors, which a search by whole image
needs and which are far smaller.
"""

import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from indexer.index.derived_folder import check, folders, write
from indexer.index.deriving import spread
from indexer.patches import PatchProjection, fit_patches, restored
from indexer.store import Store
from indexer.types import Float32, Int64, Patches
from indexer.vectors import Choice, FaissIndex, build_vectors

FIT_IMAGES = 2_000
"""The projection is fitted on the patches of at most so many images."""
RECALL = 0.95
"""Of the ten patches that are nearest to one, so many are found. An image has many, and what is
found is compared again."""
CHUNK = 2_000
"""Images whose patches are read at once."""


@dataclass(frozen=True, slots=True)
class PatchRows:
    """Patches of several images, row by row: `owners` (n,) int64 image ids, ascending,
    `vectors` (n, dim) float32 unit rows, `boxes` (n, 4) float32 image pixels."""

    owners: Int64
    vectors: Float32
    boxes: Float32


@dataclass(frozen=True, slots=True)
class PatchSet:
    """Patches of the gallery at generation `covers`, `committed` then, in the space fitted at
    `fit`."""

    fit: int
    covers: int
    committed: str
    rows: PatchRows
    index: FaissIndex
    choice: Choice
    projection: PatchProjection


def patch_rows(store: Store, projection: PatchProjection, ids: Int64) -> PatchRows:
    """The kept patches of these images (ascending ids), projected."""
    owners = [np.empty(0, np.int64)]
    vectors = [np.empty((0, projection.dim), np.float32)]
    boxes = [np.empty((0, 4), np.float32)]
    for id_, kept in _kept(store, ids):
        owners.append(np.full(len(kept.codes), id_, np.int64))
        vectors.append(projection.apply(restored(kept)))
        boxes.append(kept.boxes)
    return PatchRows(np.concatenate(owners), np.concatenate(vectors), np.concatenate(boxes))


def derive_patches(store: Store, *, fitted_on: int, fit: int, covers: int) -> PatchSet:
    """Fit on the gallery at `fitted_on`, project and index the one at `covers`."""
    sample = spread(store.ids(generation=fitted_on), FIT_IMAGES)
    tokens = [restored(kept) for _, kept in _kept(store, sample)]
    dim = store.passport.dim
    projection = fit_patches(np.concatenate([np.empty((0, dim), np.float32), *tokens]))
    rows = patch_rows(store, projection, store.ids(generation=covers))
    numbers = np.arange(len(rows.owners), dtype=np.int64)
    index, choice = build_vectors(numbers, rows.vectors, wanted=RECALL)
    committed = store.committed_at(covers)
    return PatchSet(fit, covers, committed, rows, index, choice, projection)


def publish(root: Path, patches: PatchSet) -> Path:
    """Write the set as `root/<covers>`, durable and all at once, in place of the one that was
    there; returns the folder."""

    def fill(work: Path) -> dict[str, Any]:
        for name in ("owners", "vectors", "boxes"):
            np.save(work / f"{name}.npy", getattr(patches.rows, name), allow_pickle=False)
        patches.index.save(work / "patches.faiss")
        patches.projection.save(work / "projection.safetensors")
        facts = {name: getattr(patches, name) for name in ("fit", "covers", "committed")}
        return {**facts, "vectors": asdict(patches.choice)}

    folder = write(root, patches.covers, fill)
    for _, other in folders(root):
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)
    return folder


def load(folder: Path) -> PatchSet:
    """Open a set after checking it. Raises DerivedDamaged."""
    manifest = check(folder)
    rows = PatchRows(
        np.load(folder / "owners.npy", allow_pickle=False),
        np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False),
        np.load(folder / "boxes.npy", mmap_mode="r", allow_pickle=False),
    )
    numbers = np.arange(len(rows.owners), dtype=np.int64)
    return PatchSet(
        fit=manifest["fit"],
        covers=manifest["covers"],
        committed=manifest["committed"],
        rows=rows,
        index=FaissIndex.load(folder / "patches.faiss", numbers, rows.vectors),
        choice=Choice(**manifest["vectors"]),
        projection=PatchProjection.load(folder / "projection.safetensors"),
    )


def _kept(store: Store, ids: Int64) -> Iterator[tuple[int, Patches]]:
    """(id, patches) of those images that keep any, in the order of the ids."""
    for start in range(0, len(ids), CHUNK):
        part = ids[start : start + CHUNK]
        found = store.patches(part)
        yield from ((id_, found[id_]) for id_ in part.tolist() if id_ in found)
