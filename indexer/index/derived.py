"""Derived files: everything that can be computed again from the truth.

`derived/<generation>/` holds one immutable set (see `indexer.index.derived_folder`).
"""

import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from indexer.calibration import Calibration
from indexer.descriptor import Projection
from indexer.index.derived_folder import (
    DerivedDamaged,
    Draft,
    check,
    draft,
    folders,
    is_old,
    place,
    read_manifest,
)
from indexer.index.engines import VectorEngine, Vectors
from indexer.types import Float32, Int64
from indexer.vectors import Choice


@dataclass(frozen=True, slots=True)
class Derived:
    """A projection, its calibration and the searchable descriptors of one gallery.

    `fit` is the generation from which the projection applies, `covers` the generation whose
    gallery the descriptors are, which was `committed` then (see `indexer.index.usable`). `ids`
    (n,) int64 ascending, `descriptors` (n, dim) float32 unit rows, possibly memory-mapped.
    """

    fit: int
    covers: int
    committed: str
    ids: Int64
    descriptors: Float32
    vectors: Vectors
    choice: Choice
    projection: Projection
    calibration: Calibration


def drafted(root: Path, derived: Derived) -> Draft:
    """Write the files of `derived` below `root`; what makes them count is `place`."""
    forget(root)

    def fill(work: Path) -> dict[str, Any]:
        np.save(work / "ids.npy", derived.ids, allow_pickle=False)
        np.save(work / "descriptors.npy", derived.descriptors, allow_pickle=False)
        derived.vectors.save(work / f"vectors.{derived.vectors.suffix}")
        derived.projection.save(work / "projection.safetensors")
        (work / "calibration.json").write_text(derived.calibration.to_json())
        return {
            "fit": derived.fit,
            "covers": derived.covers,
            "committed": derived.committed,
            "images": len(derived.ids),
            "vectors": asdict(derived.choice),
            "projection": {"kind": derived.projection.kind, **asdict(derived.projection.fitted_on)},
        }

    return draft(root, fill)


def publish(root: Path, generation: int, derived: Derived) -> Path:
    """Write `derived` as `root/<generation>`, durable and all at once; returns the folder."""
    return place(drafted(root, derived), generation)


def forget(root: Path) -> None:
    """Remove sets that nobody needs: of each fit all but the first, from which any of its
    generations can be read, and the newest, unless somebody may be about to open them."""
    sets: dict[int, list[Path]] = {}
    for _, folder in folders(root):
        with suppress(DerivedDamaged):  # removed by another process, or about to be replaced
            sets.setdefault(read_manifest(folder)["fit"], []).append(folder)
    for of_fit in sets.values():
        for folder in of_fit[1:-1]:
            with suppress(FileNotFoundError):  # removed by another process
                if is_old(folder):
                    shutil.rmtree(folder)


def load(folder: Path, engine: VectorEngine) -> Derived:
    """Open a derived set after checking it. Raises DerivedDamaged."""
    manifest, file = check(folder), f"vectors.{engine.suffix}"
    if file not in manifest["sha256"]:
        raise DerivedDamaged(f"{folder} is of another vector engine", expected=file)
    ids = np.load(folder / "ids.npy", allow_pickle=False)
    descriptors = np.load(folder / "descriptors.npy", mmap_mode="r", allow_pickle=False)
    choice = Choice(**manifest["vectors"])
    return Derived(
        fit=manifest["fit"],
        covers=manifest["covers"],
        committed=manifest["committed"],
        ids=ids,
        descriptors=descriptors,
        vectors=engine.load(folder / file, ids, descriptors, manifest["covers"]),
        choice=choice,
        projection=Projection.load(folder / "projection.safetensors"),
        calibration=Calibration.from_json((folder / "calibration.json").read_text()),
    )
