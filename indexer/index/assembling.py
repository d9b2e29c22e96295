"""From a derived set, or an earlier gallery, to the gallery of a generation.

Only what changed in between is read, so that a commit is searchable at once however large
the gallery is. The result depends on the derived set and the generation alone, not on the
steps that led there.
"""

import numpy as np

from indexer.calibration import Annotations
from indexer.index.derived import Derived
from indexer.index.deriving import CALIBRATION_LIMIT, describe, spread
from indexer.index.gallery import Gallery, Reference
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
    reference = gallery.reference
    if len(covered) or store.relabelled(gallery.generation, generation):
        reference = _reference(store, derived, gone, generation)
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
    known = store.columns(ids, generation=generation)
    # Who is in a family is a fake, though nobody may have labelled it so.
    labels = [
        label or (family and "fake")
        for label, family in zip(known.label, known.family, strict=True)
    ]
    return Reference(
        ids,
        derived.descriptors[located(ids, derived.ids)[0]],
        Annotations.of(labels, known.family, known.source),
    )
