"""One door: what the user named -> an image source."""

from pathlib import Path

from indexer.errors import NotFound, UsageError
from indexer.sources.files import FileItem, FileSource, absolute
from indexer.sources.folder import flat_folder, labelled_folder
from indexer.sources.manifest import READERS, read_manifest

LAYOUTS = ("auto", "imagefolder")
"""How a folder is read: "auto" takes no labels from it, "imagefolder" as `labelled_folder`."""


def open_source(path: str | Path, layout: str = "auto") -> FileSource:
    """A folder, a manifest (.csv, .tsv, .parquet) or a single image file.

    Nothing is decoded; the length is known at once. Raises NotFound on a path that does not
    exist and UsageError on what cannot be a source; see `flat_folder`, `labelled_folder` and
    `read_manifest`.
    """
    if layout not in LAYOUTS:
        raise UsageError(f"the layout {layout!r}", expected=" or ".join(LAYOUTS))
    place = absolute(path)
    if not place.exists():
        raise NotFound(
            f"nothing at {place}", expected="a folder, a manifest or an image", do="check the path"
        )
    if place.is_dir():
        return labelled_folder(place) if layout == "imagefolder" else flat_folder(place)
    if layout != "auto":
        raise UsageError(f"{place} is a file", expected=f"a folder for the layout {layout}")
    if place.suffix.lower() in READERS:
        return read_manifest(place)
    return FileSource((FileItem(place),))
