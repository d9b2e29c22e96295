"""How well this index finds families, on queries of their own or on itself."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.calibration import Annotations, HeldOut, cross_fit
from indexer.errors import ImageRejected, UsageError
from indexer.evaluation import Evaluation, against, evaluate, leave_families_out
from indexer.index.core import Index
from indexer.index.deriving import CALIBRATION_LIMIT, fit_rows, spread, strata
from indexer.index.labelled import Labelled, from_gallery, from_sources
from indexer.types import Float32, ImageSource


def evaluate_index(
    index: Index,
    queries: Sequence[ImageSource] = (),
    *,
    on_progress: Callable[[int], None] = lambda _: None,
) -> tuple[Evaluation, list[ImageRejected]]:
    """Every figure of `indexer.evaluation`, beside the baselines last-layer CLS and PDQ.

    With `queries`, the index as it stands is asked for each, and those that cannot be used
    are returned; without, the gallery is asked for its own images, a spread sample of at most
    CALIBRATION_LIMIT, each described by a projection that was fitted without it. Raises
    UsageError when no family is labelled.
    """
    gallery = index.gallery()
    ids = index.store.ids(generation=gallery.generation)
    if not queries:
        ids = spread(ids, CALIBRATION_LIMIT)
    images = from_gallery(index, ids, gallery.generation)
    rejects: list[ImageRejected] = []
    if queries:
        asked, rejects = from_sources(index, queries, on_progress)
        images += asked
    annotations = Annotations.of(
        [a.label for a in images.annotations],
        [a.family for a in images.annotations],
        [a.source for a in images.annotations],
    )
    if not annotations.families:
        raise UsageError("no image has a known family", do="give some a column `family`")

    def describe(rows: NDArray[np.bool_]) -> Float32:
        return fit_rows(images.taps, images.annotations, rows).apply(images.taps)

    baselines = {"last_layer_cls": _final_cls(index, images), "pdq": images.pdq}
    if queries:
        projection = gallery.derived.projection
        views = [against(gallery.descriptors(ids), projection.apply(asked.taps))]
    else:
        views = list(cross_fit(describe, strata(images.annotations)))
    return (
        evaluate(
            views,
            annotations,
            calibration=gallery.derived.calibration,
            scores=images.scores,
            matched_sets=images.matched_sets,
            baselines={
                name: [HeldOut(view.rows, descriptors) for view in views]
                for name, descriptors in baselines.items()
            },
            novel=leave_families_out(describe, annotations, views[0].rows) if views else (),
        ),
        rejects,
    )


def _final_cls(index: Index, images: Labelled) -> Float32:
    """(n, dim) unit rows: what the head of the checkpoint sees."""
    tap = index.store.passport.taps.index("final.cls")
    cls = images.taps[:, tap].astype(np.float32)
    cls /= np.maximum(np.linalg.norm(cls, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return cls
