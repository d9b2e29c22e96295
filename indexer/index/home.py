"""Where an index is: its truth, and the folders of what is not in it."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from indexer.checkpoints import cache_directory
from indexer.store import is_url

TRUTH: Final = "truth.sqlite"


def truth_at(where: str | Path) -> str | Path:
    """The truth of an index: a file of its folder, or at a server, which its URL names."""
    return where if is_url(where) else Path(where) / TRUTH


@dataclass(frozen=True, slots=True)
class Home:
    """`where` is what commands call the index: its folder, or the URL of its truth. `derived` is
    the folder of what is computed from the truth, `kept` that of what an operator has chosen
    to keep.

    An index in a folder has both there. With a truth at a server each machine derives for itself,
    in its cache, and keeps in the user's data folder.
    """

    where: Path | str
    derived: Path
    kept: Path

    @classmethod
    def of(cls, where: str | Path, identity: str) -> Self:
        """Where the index of this `identity` is."""
        if not is_url(where):
            root = Path(where).resolve()
            return cls(root, root / "derived", root)
        data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
        kept = Path(data) / "lineup" / identity
        return cls(where, cache_directory() / "indexes" / identity, kept)
