"""One door: what the user named -> an image source."""

from collections.abc import Iterable
from pathlib import Path

from indexer.errors import NotFound, UsageError
from indexer.sources.files import FileItem, FileSource, absolute
from indexer.sources.folder import flat_folder, labelled_folder
from indexer.sources.manifest import read_manifest, read_remote_manifest
from indexer.sources.parquet_images import holds_images
from indexer.sources.remote import RemoteFolder, RemoteItem
from indexer.sources.shards import SUFFIXES, ShardSource, expand
from indexer.sources.storage import Place, is_url
from indexer.sources.table import READERS

LAYOUTS = ("auto", "imagefolder", "shards")
"""How a folder is read: "auto" takes no labels from it, "imagefolder" as `labelled_folder`,
"shards" reads its tar and Parquet files."""

Source = FileSource | RemoteFolder | ShardSource


def open_source(path: str | Path, layout: str = "auto") -> Source:
    """A folder, a manifest (.csv, .tsv, .parquet), shards (.tar, .parquet with the images
    inside; `{000..099}` names a range) or a single image, by path or URL.

    Nothing is decoded. Raises NotFound on what does not exist and UsageError on what cannot be
    a source; see `flat_folder`, `labelled_folder`, `read_manifest` and `ShardSource`.
    """
    if layout not in LAYOUTS:
        raise UsageError(f"the layout {layout!r}", expected=" or ".join(LAYOUTS))
    names = expand(str(path))
    if is_url(str(path)) or len(names) > 1:
        places = [Place.of(name if is_url(name) else str(absolute(name))) for name in names]
    else:
        place = absolute(path)
        if not place.exists():
            raise NotFound(
                f"nothing at {place}",
                expected="a folder, a manifest, a shard or an image",
                do="check the path",
            )
        places = [Place.of(str(place))]
        if layout != "shards" and not _is_shard(places[0]):
            return _local(place, layout)
    return _remote(places, layout)


def total(sources: Iterable[Source]) -> int | None:
    """How many inputs they have; None where one cannot tell."""
    counts = [source.count for source in sources]
    return None if None in counts else sum(count or 0 for count in counts)


def _local(place: Path, layout: str) -> Source:
    if place.is_dir():
        return labelled_folder(place) if layout == "imagefolder" else flat_folder(place)
    if layout != "auto":
        raise UsageError(f"{place} is a file", expected=f"a folder for the layout {layout}")
    if place.suffix.lower() in READERS:
        return read_manifest(place)
    return FileSource((FileItem(place),))


def _remote(places: list[Place], layout: str) -> Source:
    first = places[0]
    if _is_shard(first):
        return ShardSource(tuple(places))
    if len(places) > 1:
        raise UsageError(f"{first.url} is no shard", expected=", ".join(SUFFIXES))
    if first.is_folder():
        if layout == "shards":
            return ShardSource(
                tuple(place for place in first.walk() if place.path.endswith(SUFFIXES))
            )
        return RemoteFolder(first, layout == "imagefolder")
    if layout != "auto":
        raise UsageError(f"{first.url} is a file", expected=f"a folder for the layout {layout}")
    if Path(first.path).suffix.lower() in READERS:
        return read_remote_manifest(first)
    return FileSource((RemoteItem(first),))


def _is_shard(place: Place) -> bool:
    """Whether it is a file of many images; a Parquet file may also be a manifest."""
    if not place.path.endswith(".parquet"):
        return place.path.endswith(SUFFIXES)
    with place.open() as file:
        return holds_images(file)
