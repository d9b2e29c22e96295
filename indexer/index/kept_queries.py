"""Query images that an operator has chosen to keep; without that choice none is ever written.

`queries/<sha256>` in the index folder (without one: see `indexer.index.home`) holds the bytes as
they came, readable by their owner only. A kept image belongs to no gallery: no search finds it.
"""

import os
import re
from pathlib import Path

from indexer.custody import Entry
from indexer.errors import NotFound
from indexer.images import sha256
from indexer.index.core import Index

QUERIES = "queries"
_DIGEST = re.compile("[0-9a-f]{64}")


class KeptQueries:
    """The kept query images of one index. What comes and goes is in its audit chain."""

    def __init__(self, index: Index) -> None:
        self.folder: Path = index.home.kept / QUERIES
        self._audit = index.store.audit

    def digests(self) -> list[str]:
        """The sha256 of each, in order."""
        if not self.folder.is_dir():
            return []
        return sorted(file.name for file in self.folder.iterdir() if _DIGEST.fullmatch(file.name))

    def keep(self, data: bytes, author: str) -> None:
        """Keep an image, once; the audit chain tells of it before the file is there."""
        digest = sha256(data)
        path = self.folder / digest
        if path.is_file() and path.stat().st_size == len(data):  # not cut short by a kill
            return
        details = {"query": digest, "bytes": len(data)}
        self._audit.record(Entry("query kept", author, details))
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(file, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(file)

    def remove(self, digest: str, author: str) -> None:
        """Delete a kept image; the audit chain tells of it once it is gone. Raises NotFound."""
        path = self.folder / digest
        if not (_DIGEST.fullmatch(digest) and path.is_file()):
            raise NotFound(f"no query image {digest} is kept", do="see: search-api queries list")
        path.unlink()
        self._audit.record(Entry("query removed", author, {"query": digest}))
