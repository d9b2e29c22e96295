"""Images with what is known of them, from the gallery or from a source, as aligned columns."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from indexer.errors import ImageRejected
from indexer.evaluation.pdq import pdq_descriptor
from indexer.images import decode, thumbnail
from indexer.index.core import Index
from indexer.types import Annotation, Float16, Float32, ImageSource, Int64

MATCHED_SET = "matched_set"
"""Metadata key: images of one set differ in nothing but being real or fake (source, size,
compression), so that an AUC within it owes nothing to such cues."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """n images. `taps` (n, taps, dim), `scores` (n,) p(fake) or NaN, `pdq` (n, 256) unit rows
    of the thumbnails, zero where there is none."""

    taps: Float16
    annotations: list[Annotation]
    scores: Float32
    matched_sets: list[str | None]
    pdq: Float32

    def __add__(self, other: "Labelled") -> "Labelled":
        return Labelled(
            np.concatenate([self.taps, other.taps]),
            self.annotations + other.annotations,
            np.concatenate([self.scores, other.scores]),
            self.matched_sets + other.matched_sets,
            np.concatenate([self.pdq, other.pdq]),
        )


@dataclass(frozen=True, slots=True)
class _Row:
    taps: Float16
    annotation: Annotation
    score: float | None
    matched_set: str | None
    thumbnail: bytes | None


def from_gallery(index: Index, ids: Int64, generation: int) -> Labelled:
    """Images of the index, in the order of `ids`."""
    images = index.store.images(ids, generation=generation)
    return _labelled(
        index,
        [
            _Row(
                taps,
                image.annotation,
                image.score,
                image.metadata.get(MATCHED_SET),
                index.store.thumbnail(image.sha256, generation=generation),
            )
            for taps, image in zip(index.store.taps(ids), images, strict=True)
        ],
    )


def from_sources(
    index: Index, sources: Iterable[ImageSource], on_progress: Callable[[int], None]
) -> tuple[Labelled, list[ImageRejected]]:
    """Images that are encoded now and kept nowhere, and the rejects among them."""
    rows: list[_Row] = []
    rejects: list[ImageRejected] = []
    for done, item in enumerate(chain.from_iterable(sources), 1):
        try:
            image = decode(item.read())
            encodings = index.encoder.encode([image.rgb])
        except ImageRejected as error:
            rejects.append(error)
            continue
        rows.append(
            _Row(
                encodings.taps[0].astype(np.float16),
                item.annotation,
                None if encodings.scores is None else float(encodings.scores[0]),
                item.metadata.get(MATCHED_SET),
                thumbnail(image.rgb),
            )
        )
        on_progress(done)
    return _labelled(index, rows), rejects


def _labelled(index: Index, rows: Sequence[_Row]) -> Labelled:
    passport = index.store.passport
    shape = (len(rows), len(passport.taps), passport.dim)
    hashes = [
        np.zeros(256, np.float32) if r.thumbnail is None else _hash(r.thumbnail) for r in rows
    ]
    return Labelled(
        np.array([row.taps for row in rows], np.float16).reshape(shape),
        [row.annotation for row in rows],
        np.array([np.nan if row.score is None else row.score for row in rows], np.float32),
        [row.matched_set for row in rows],
        np.array(hashes, np.float32).reshape(len(rows), 256),
    )


def _hash(thumbnail: bytes) -> Float32:
    return pdq_descriptor(decode(thumbnail).rgb)
