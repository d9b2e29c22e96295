"""A manifest as a source: its rows name files, or objects by URL."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from indexer.sources.files import FileItem, FileSource, absolute
from indexer.sources.remote import RemoteItem
from indexer.sources.storage import Place, is_url
from indexer.sources.table import Row, manifest_rows
from indexer.types import SourceItem


def read_manifest(path: Path) -> FileSource:
    """One item per row, in the manifest's order; see `manifest_rows`."""
    return _source(
        path,
        str(path),
        lambda row: FileItem(absolute(row.name, path.parent), row.annotation, row.metadata),
    )


def read_remote_manifest(place: Place) -> FileSource:
    """As `read_manifest`; names are relative to where the manifest lies. Raises OSError."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, Path(place.path).name)
        with place.open() as remote, copy.open("wb") as local:
            shutil.copyfileobj(remote, local)
        return _source(
            copy,
            place.url,
            lambda row: RemoteItem(place.sibling(row.name), row.annotation, row.metadata),
        )


def _source(path: Path, shown: str, located: Callable[[Row], SourceItem]) -> FileSource:
    return FileSource(
        tuple(
            RemoteItem(Place.of(row.name), row.annotation, row.metadata)
            if is_url(row.name)
            else located(row)
            for row in manifest_rows(path, shown)
        )
    )
