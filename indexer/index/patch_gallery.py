"""The patches of one generation, ready to be searched."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from indexer.index.derived_folder import DerivedDamaged
from indexer.index.deriving import UNCOVERED, spread
from indexer.index.patch_set import (
    PatchRows,
    PatchSet,
    derive_patches,
    load,
    patch_rows,
    publish,
)
from indexer.index.usable import usable
from indexer.patches import Match, best_matches
from indexer.store import Fit, Store
from indexer.types import Float32, Int64

EXACT_IMAGES: Final = 1_000
"""A gallery, or what a filter leaves of it, of at most so many images is compared whole."""
ASKED: Final = 24
"""Tokens of a query, spread evenly, that the index is asked for: more find no other images."""
PROPOSED: Final = 128
"""Patches that it proposes for each."""
REFERENCE: Final = 128
"""What is usual is seen on so many images, spread evenly over the gallery."""


@dataclass(frozen=True, slots=True)
class Compared:
    """The best matches of q tokens in the images `ids` (c,); `boxes` (n, 4) are those of the
    rows that `match` names."""

    ids: Int64
    match: Match
    boxes: Float32


@dataclass(frozen=True, slots=True)
class PatchGallery:
    """`recent` are patches of images that came after `patches.covers`; `live` (ascending ids)
    the images of `generation` that keep patches; `reference` some of them, spread evenly."""

    generation: int
    patches: PatchSet
    recent: PatchRows
    live: Int64
    reference: Int64

    def compare(self, query: Float32, ids: Int64) -> Compared:
        """The tokens (q, dim) with all patches of live images (ascending ids)."""
        rows, starts = self._gather(ids)
        return Compared(ids, best_matches(query, rows.vectors, starts), rows.boxes)

    def candidates(self, query: Float32, usual: Float32, count: int, allowed: Int64) -> Int64:
        """Ids, ascending, of at least min(count, m) of the m `allowed` images (ascending ids of
        live ones), the most promising for the tokens `query` (q, dim).

        All of them when they are few, else those that own the patches which the index finds
        nearest, and the recent ones.
        """
        if len(allowed) <= EXACT_IMAGES:
            return allowed
        filtered = len(allowed) < len(self.live)
        owners = self.patches.rows.owners
        within = np.flatnonzero(np.isin(owners, allowed)) if filtered else None
        asked = spread(np.arange(len(query)), ASKED)
        found, similarity = self.patches.index.propose(query[asked], PROPOSED, within)
        excess = np.clip(similarity - usual[asked, None], 0, None)
        images = np.where(found >= 0, owners[np.maximum(found, 0)], -1)
        known, place = np.unique(images, return_inverse=True)
        score = np.zeros((len(known), len(asked)), np.float32)
        np.maximum.at(score, (place, np.arange(len(asked))[:, None]), excess)
        order = np.argsort(-score.sum(axis=1), kind="stable")
        best = known[order][np.isin(known[order], allowed, assume_unique=True)][:count]
        recent = np.intersect1d(np.unique(self.recent.owners), allowed, assume_unique=True)
        return np.union1d(best, recent)

    def _gather(self, ids: Int64) -> tuple[PatchRows, Int64]:
        """The patches of live images (ascending ids), and the row where each begins."""
        parts = [_rows_of(rows, ids) for rows in (self.patches.rows, self.recent)]
        owners = np.concatenate([part.owners for part in parts])
        order = np.argsort(owners, kind="stable")
        rows = PatchRows(
            owners[order],
            np.concatenate([part.vectors for part in parts])[order],
            np.concatenate([part.boxes for part in parts])[order],
        )
        return rows, np.searchsorted(rows.owners, ids).astype(np.int64)


def patches_at(store: Store, root: Path, generation: int) -> PatchGallery:
    """The patches at a generation, from the sets under `root`."""
    latest = generation == store.generation
    fit = store.fit_at(generation)
    patches = None if fit is None else _usable(store, root, fit, generation)
    if patches is None or _outdated(store, patches, generation):
        fitted_on = generation if fit is None else fit.fitted_on
        applies = generation if fit is None else fit.generation
        patches = derive_patches(store, fitted_on=fitted_on, fit=applies, covers=generation)
        if fit is not None and latest:  # an earlier generation is derived when it is asked for
            publish(root, patches)
    added, removed = store.changes(patches.covers, generation)
    recent = patch_rows(store, patches.projection, added)
    there = np.union1d(patches.rows.owners, recent.owners)
    live = np.setdiff1d(there, removed, assume_unique=True)
    return PatchGallery(generation, patches, recent, live, spread(live, REFERENCE))


def _usable(store: Store, root: Path, fit: Fit, generation: int) -> PatchSet | None:
    """The newest sound set from which the generation can be read."""
    for folder, _ in usable(store, root, fit, generation):
        with suppress(DerivedDamaged):  # the next older set, or the truth
            return load(folder)
    return None


def _outdated(store: Store, patches: PatchSet, generation: int) -> bool:
    changes = sum(map(len, store.changes(patches.covers, generation)))
    return changes > UNCOVERED * len(store.ids(generation=generation))


def _rows_of(rows: PatchRows, ids: Int64) -> PatchRows:
    first, last = (np.searchsorted(rows.owners, ids, side) for side in ("left", "right"))
    counts = last - first
    before = np.cumsum(counts) - counts
    picked = np.arange(counts.sum()) + np.repeat(first - before, counts)
    return PatchRows(rows.owners[picked], rows.vectors[picked], rows.boxes[picked])
