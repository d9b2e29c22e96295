"""Where images come from: files, folders, manifests and shards, by path or URL."""

from indexer.sources.files import FileItem, FileSource
from indexer.sources.manifest import read_manifest
from indexer.sources.open import LAYOUTS, Source, open_source, total
from indexer.sources.shards import ShardSource

__all__ = [
    "LAYOUTS",
    "FileItem",
    "FileSource",
    "ShardSource",
    "Source",
    "open_source",
    "read_manifest",
    "total",
]
