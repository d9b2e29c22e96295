"""Which derived sets are of a truth."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from indexer.index.derived_folder import DerivedDamaged, folders, read_manifest
from indexer.store import Fit, Store


def usable(
    store: Store, root: Path, fit: Fit, generation: int
) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The sets below `root` with their manifests, newest first, from which a generation can be
    read: they are of the fit that applies and cover no more than it."""
    for _, folder in folders(root):
        with suppress(DerivedDamaged):  # the next older set, or the truth
            found = read_manifest(folder)
            applies = found["fit"] == fit.generation and found["covers"] <= generation
            if applies and is_of(store, found):
                yield folder, found


def is_of(store: Store, manifest: dict[str, Any]) -> bool:
    """Whether a set is of this very truth. One that was restored from a copy, or that was copied
    and went on by itself, gives the numbers of its generations a second time."""
    committed: str = manifest["committed"]
    return committed == store.committed_at(manifest["covers"])
