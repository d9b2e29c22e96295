"""From a derived set, or an earlier gallery, to the gallery of a generation.

Only what changed in between is read, so that a commit is searchable at once however large
the gallery is. The result depends on the derived set and the generation alone, not on the
steps that led there.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from indexer.calibration import Annotations
from indexer.index.derived import Derived
from indexer.index.deriving import CALIBRATION_LIMIT, describe, spread
from indexer.index.gallery import Gallery, Known, Reference
from indexer.store import Store
from indexer.types import Int64
from indexer.vectors import ExactIndex, located

REFERENCE = CALIBRATION_LIMIT
"""A verdict compares the query with at most so many images, spread evenly over the gallery:
as many as the calibration saw, since the similarity to the nearest members of a family grows
with their number."""


def assemble(store: Store, derived: Derived, generation: int) -> Gallery:
    """The gallery at `generation`, which is not before `derived.covers`."""
    added, removed = store.changes(derived.covers, generation)
    return Gallery(
        generation,
        derived,
        ExactIndex(added, describe(store, derived.projection, added)),
        removed,
        _reference(store, derived, removed, generation),
    )


def advance(store: Store, gallery: Gallery, generation: int) -> Gallery:
    """The gallery at a later generation, over the same derived set."""
    derived, recent = gallery.derived, gallery.recent
    added, removed = store.changes(gallery.generation, generation)
    kept = ~located(recent.ids, removed)[1]
    covered = removed[located(removed, derived.ids)[1]]
    gone = np.union1d(gallery.removed, covered)
    if len(covered):
        reference = _reference(store, derived, gone, generation)
    else:
        relabelled = store.relabelled(gallery.generation, generation)
        reference = _relabelled(store, gallery.reference, relabelled, generation)
    return Gallery(
        generation,
        derived,
        ExactIndex(
            np.concatenate([recent.ids[kept], added]),
            np.concatenate([recent.vectors[kept], describe(store, derived.projection, added)]),
        ),
        gone,
        reference,
    )


def _reference(store: Store, derived: Derived, removed: Int64, generation: int) -> Reference:
    sample = spread(derived.ids, REFERENCE)
    ids = sample[~located(sample, removed)[1]]
    known = _known(store, ids, generation)
    vectors = derived.descriptors[located(ids, derived.ids)[0]]
    return Reference(ids, vectors, known, _coded(known))


def _relabelled(store: Store, reference: Reference, ids: Int64, generation: int) -> Reference:
    """The same images, when something else is said of some."""
    rows, there = located(ids, reference.ids)
    if not there.any():
        return reference
    known = list(reference.known)
    for row, said in zip(rows[there], _known(store, ids[there], generation), strict=True):
        known[row] = said
    return replace(reference, known=known, annotations=_coded(known))


def _known(store: Store, ids: Int64, generation: int) -> list[Known]:
    columns = store.columns(ids, generation=generation)
    return [
        # Who is in a family is a fake, though nobody may have labelled it so.
        (label or (None if family is None else "fake"), family, source)
        for label, family, source in zip(columns.label, columns.family, columns.source, strict=True)
    ]


def _coded(known: Sequence[Known]) -> Annotations:
    labels, families, sources = zip(*known, strict=True) if known else ((), (), ())
    return Annotations.of(labels, families, sources)
