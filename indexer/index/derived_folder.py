"""A folder of derived files, written all at once and checked before it is read.

It is written beside its place, fsynced and renamed, and every file's sha256 stands in
`manifest.json`: FAISS files are parser input and load silently with flipped bits, so nothing
is opened before its sum is checked.
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from indexer.errors import LineupError

FORMAT = 2
MANIFEST = "manifest.json"
OLD_SECONDS = 24 * 3600


class DerivedDamaged(LineupError):
    """A derived set is missing, incomplete or altered; it is rebuilt, never trusted."""

    code = "derived-damaged"


@dataclass(frozen=True, slots=True)
class Draft:
    """A folder whose files are durable and only lack their manifest and their place; `facts`
    will stand in the manifest beside the `sums` of the files."""

    folder: Path
    facts: dict[str, Any]
    sums: dict[str, str]


def draft(root: Path, fill: Callable[[Path], dict[str, Any]]) -> Draft:
    """Write files below `root`. `fill` writes them into the folder that it is given and returns
    the facts."""
    root.mkdir(parents=True, exist_ok=True)
    _sweep(root)
    work = root / f".writing-{uuid4().hex}"
    work.mkdir()
    facts = fill(work)
    files = sorted(work.iterdir())
    for path in files:
        _fsync(path)
    return Draft(work, facts, {path.name: _sha256(path) for path in files})


def place(drafted: Draft, generation: int, **facts: object) -> Path:
    """Make a draft `root/<generation>`, durable and all at once, with more facts; returns the
    folder. This takes no time, however large the files are."""
    work, root = drafted.folder, drafted.folder.parent
    manifest = {"format": FORMAT, **drafted.facts, **facts, "sha256": drafted.sums}
    (work / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True))
    for path in (work / MANIFEST, work):
        _fsync(path)
    target = root / str(generation)
    shutil.rmtree(target, ignore_errors=True)
    work.rename(target)
    _fsync(root)
    return target


def write(root: Path, generation: int, fill: Callable[[Path], dict[str, Any]]) -> Path:
    """Draft and place; returns the folder."""
    return place(draft(root, fill), generation)


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


def _sweep(root: Path) -> None:
    """Remove what killed processes left half written: folders that nobody touched for a day."""
    for work in root.glob(".writing-*"):
        with suppress(FileNotFoundError):  # placed, or swept, by another process in this moment
            if is_old(work):
                shutil.rmtree(work)


def is_old(folder: Path) -> bool:
    """Whether nobody has touched a folder for a day. Raises FileNotFoundError."""
    return time.time() - folder.stat().st_mtime > OLD_SECONDS


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
