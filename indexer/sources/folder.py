"""A folder of images, with labels from its sub-folders when it is laid out for that."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from indexer.errors import UsageError
from indexer.sources.files import FileItem, FileSource
from indexer.types import Annotation

IMAGE_SUFFIXES = frozenset(
    {".apng", ".avif", ".bmp", ".dib", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".mpo", ".png"}
    | {".tif", ".tiff", ".webp"}  # above and here: can be decoded; below: known to be refused
    | {".dng", ".eps", ".exr", ".fits", ".heic", ".heif", ".ico", ".j2k", ".jp2", ".jxl", ".pbm"}
    | {".pgm", ".pnm", ".ppm", ".psd", ".qoi", ".svg", ".tga", ".xbm", ".xpm"}
)
"""Suffixes (any case) that announce an image, decodable or not: what cannot be decoded is then
a reject with a reason instead of a file that was never mentioned."""


def flat_folder(root: Path) -> FileSource:
    """Every image file under `root`, without labels, sorted by path.

    An item is a regular file with an image suffix or with none; other files are counted in
    `ignored`. Names that begin with a dot are skipped. A linked file is an item, a linked
    folder is not entered, so that loops cannot occur.
    """
    walk = _walk(root)
    return FileSource(tuple(FileItem(path) for path in walk.images), walk.others)


def labelled_folder(root: Path) -> FileSource:
    """`real/**` as real and `fake/<family>/**` as fake of that family.

    Files directly in `fake/` are fakes of no known family; files elsewhere under `root`
    are counted in `ignored`. Raises UsageError when there is neither sub-folder.
    """
    if not any((root / label).is_dir() for label in ("real", "fake")):
        found = sorted(entry.name for entry in root.iterdir() if entry.is_dir())
        raise UsageError(
            f"{root} has the folders {', '.join(found[:8]) or '(none)'}",
            expected="real/ and fake/<family>/ for the layout imagefolder",
            do="rename them, or drop the layout to index without labels",
        )
    walk = _walk(root)
    items = tuple(
        FileItem(path, annotation)
        for path in walk.images
        if (annotation := annotation_of(path.relative_to(root).parts))
    )
    return FileSource(items, walk.others + len(walk.images) - len(items))


@dataclass(frozen=True, slots=True)
class _Walk:
    images: list[Path]
    others: int


def _walk(root: Path) -> _Walk:
    files = sorted(_regular_files(root))
    images = [path for path in files if path.suffix.lower() in IMAGE_SUFFIXES | {""}]
    return _Walk(images, len(files) - len(images))


def _regular_files(root: Path) -> Iterator[Path]:
    for folder, subfolders, names in os.walk(root, onerror=_refuse):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        for name in names:
            path = Path(folder, name)
            if not name.startswith(".") and path.is_file():
                yield path


def _refuse(error: OSError) -> None:
    raise UsageError(
        f"the folder {error.filename} cannot be listed: {error.strerror}",
        do="change its permissions, or move it out of the source",
    ) from error


def annotation_of(parts: tuple[str, ...]) -> Annotation | None:
    """What the layout imagefolder says of a file, by the names that lead to it."""
    match parts:
        case ("real", _, *_):
            return Annotation(label="real")
        case ("fake", family, _, *_):
            return Annotation(label="fake", family=family)
        case ("fake", _):
            return Annotation(label="fake")
    return None
