"""A folder of derived files, written all at once and checked before it is read.

It is written beside its place, fsynced and renamed, and every file's sha256 stands in
`manifest.json`: FAISS files are parser input and load silently with flipped bits, so nothing
is opened before its sum is checked.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from indexer.errors import LineupError

FORMAT = 1
MANIFEST = "manifest.json"


class DerivedDamaged(LineupError):
    """A derived set is missing, incomplete or altered; it is rebuilt, never trusted."""

    code = "derived-damaged"


def write(root: Path, generation: int, fill: Callable[[Path], dict[str, Any]]) -> Path:
    """Make `root/<generation>`, durable and all at once; returns the folder.

    `fill` writes the files into the folder that it is given and returns the facts that the
    manifest holds beside their sums.
    """
    root.mkdir(parents=True, exist_ok=True)
    work = root / f".writing-{generation}-{os.getpid()}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    facts = fill(work)
    sums = {path.name: _sha256(path) for path in sorted(work.iterdir())}
    manifest = {"format": FORMAT, **facts, "sha256": sums}
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
