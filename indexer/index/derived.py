"""Derived files: everything that can be computed again from the truth.

`derived/<generation>/` holds one immutable set. It is written beside its place, fsynced and
renamed, and every file's sha256 stands in `manifest.json`: FAISS files are parser input and
load silently with flipped bits, so nothing is opened before its sum is checked.
"""

import hashlib
import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from indexer.calibration import Calibration
from indexer.descriptor import Projection
from indexer.errors import LineupError
from indexer.types import Float32, Int64
from indexer.vectors import Choice, FaissIndex

FORMAT = 1
MANIFEST = "manifest.json"


class DerivedDamaged(LineupError):
    """A derived set is missing, incomplete or altered; it is rebuilt, never trusted."""

    code = "derived-damaged"


@dataclass(frozen=True, slots=True)
class Derived:
    """A projection, its calibration and the searchable descriptors of one gallery.

    `fit` is the generation from which the projection applies, `covers` the generation whose
    gallery the descriptors are. `ids` (n,) int64 ascending, `descriptors` (n, dim) float32
    unit rows, possibly memory-mapped.
    """

    fit: int
    covers: int
    ids: Int64
    descriptors: Float32
    vectors: FaissIndex
    choice: Choice
    projection: Projection
    calibration: Calibration

    def is_of(self, manifest: dict[str, Any]) -> bool:
        """Whether this is the set that a manifest tells of."""
        return (self.fit, self.covers) == (manifest["fit"], manifest["covers"])


def publish(root: Path, generation: int, derived: Derived) -> Path:
    """Write `derived` as `root/<generation>`, durable and all at once; returns the folder."""
    root.mkdir(parents=True, exist_ok=True)
    work = root / f".writing-{generation}-{os.getpid()}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    np.save(work / "ids.npy", derived.ids, allow_pickle=False)
    np.save(work / "descriptors.npy", derived.descriptors, allow_pickle=False)
    derived.vectors.save(work / "vectors.faiss")
    derived.projection.save(work / "projection.safetensors")
    (work / "calibration.json").write_text(derived.calibration.to_json())
    manifest = {
        "format": FORMAT,
        "fit": derived.fit,
        "covers": derived.covers,
        "images": len(derived.ids),
        "vectors": asdict(derived.choice),
        "projection": {"kind": derived.projection.kind, **asdict(derived.projection.fitted_on)},
        "sha256": {path.name: _sha256(path) for path in sorted(work.iterdir())},
    }
    (work / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True))
    for path in (*work.iterdir(), work):
        _fsync(path)
    target = root / str(generation)
    shutil.rmtree(target, ignore_errors=True)
    work.rename(target)
    _fsync(root)
    return target


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a derived set. Raises DerivedDamaged when there is none to read."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError) as error:
        raise DerivedDamaged(f"{folder} has no readable manifest ({error})") from error
    if manifest.get("format") != FORMAT:
        raise DerivedDamaged(
            f"{folder} has format {manifest.get('format')}", expected=f"format {FORMAT}"
        )
    return manifest


def check(folder: Path) -> dict[str, Any]:
    """Compare every file with its sha256; returns the manifest or raises DerivedDamaged."""
    manifest = read_manifest(folder)
    for name, expected in manifest["sha256"].items():
        path = folder / name
        found = _sha256(path) if path.is_file() else "no file"
        if found != expected:
            raise DerivedDamaged(
                f"{path} has sha256 {found[:16]}", expected=expected[:16], do="it will be rebuilt"
            )
    return manifest


def load(folder: Path) -> Derived:
    """Open a derived set after checking it. Raises DerivedDamaged."""
    manifest = check(folder)
    ids = np.load(folder / "ids.npy", allow_pickle=False)
    descriptors = np.load(folder / "descriptors.npy", mmap_mode="r", allow_pickle=False)
    choice = Choice(**manifest["vectors"])
    return Derived(
        fit=manifest["fit"],
        covers=manifest["covers"],
        ids=ids,
        descriptors=descriptors,
        vectors=FaissIndex.load(folder / "vectors.faiss", ids, descriptors),
        choice=choice,
        projection=Projection.load(folder / "projection.safetensors"),
        calibration=Calibration.from_json((folder / "calibration.json").read_text()),
    )


def folders(root: Path) -> list[tuple[int, Path]]:
    """(generation, folder) of every finished derived set, newest first."""
    found = [(int(path.name), path) for path in root.glob("[0-9]*") if path.name.isdigit()]
    return sorted(found, reverse=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
