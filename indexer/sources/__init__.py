"""Where images come from: a folder, a manifest or a single file."""

from indexer.sources.files import FileItem, FileSource
from indexer.sources.open import LAYOUTS, open_source

__all__ = ["LAYOUTS", "FileItem", "FileSource", "open_source"]
