"""Images with what is known of them, from the gallery or from a source, as aligned columns."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from indexer.errors import ImageRejected
from indexer.evaluation.pdq import pdq_descriptor
from indexer.images import decode
from indexer.index.core import Index
from indexer.index.pipeline import Rejected, encode_items
from indexer.store import NewImage, StoredImage
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


def from_gallery(index: Index, ids: Int64, generation: int) -> Labelled:
    """Images of the index, in the order of `ids`; a family is one that somebody named."""
    images = index.store.images(ids, generation=generation)
    named = index.store.columns(ids, generation=generation, said=True).family
    images = [
        replace(image, annotation=replace(image.annotation, family=family))
        for image, family in zip(images, named, strict=True)
    ]
    hashes = (index.store.thumbnail(image.sha256, generation=generation) for image in images)
    return _labelled(images, index.store.taps(ids), hashes)


def from_sources(
    index: Index, sources: Iterable[ImageSource], on_progress: Callable[[int], None]
) -> tuple[Labelled, list[ImageRejected]]:
    """Images that are encoded now and kept nowhere, and the rejects among them."""
    images: list[NewImage] = []
    rejects: list[ImageRejected] = []
    outcomes = encode_items(lambda: index.encoder, chain.from_iterable(sources))
    for done, outcome in enumerate(outcomes, 1):
        if isinstance(outcome, NewImage):
            images.append(outcome)
        elif isinstance(outcome, Rejected):
            rejects.append(outcome.error)
        on_progress(done)
    passport = index.store.passport
    taps = np.array([image.taps for image in images], np.float16)
    taps = taps.reshape(len(images), len(passport.taps), passport.dim)
    return _labelled(images, taps, (image.thumbnail for image in images)), rejects


def _labelled(
    images: Sequence[NewImage | StoredImage], taps: Float16, thumbnails: Iterable[bytes | None]
) -> Labelled:
    hashes = np.array([_hash(thumbnail) for thumbnail in thumbnails], np.float32)
    scores = [np.nan if image.score is None else image.score for image in images]
    return Labelled(
        taps,
        [image.annotation for image in images],
        np.array(scores, np.float32),
        [image.metadata.get(MATCHED_SET) for image in images],
        hashes.reshape(len(images), 256),
    )


def _hash(thumbnail: bytes | None) -> Float32:
    if thumbnail is None:
        return np.zeros(256, np.float32)
    return pdq_descriptor(decode(thumbnail).rgb)
