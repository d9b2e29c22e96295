"""A query and its answer."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from indexer.errors import UsageError
from indexer.filters import parse_filter
from indexer.images import decode
from indexer.index.core import Index
from indexer.types import Float32


@dataclass(frozen=True, slots=True)
class Query:
    """An image that is asked about. `taps` (taps, dim) float32, `logits` (classes,) or None,
    `score` the checkpoint's own p(fake) or None; `stored` when it comes from the gallery."""

    sha256: str
    taps: Float32
    logits: Float32 | None
    score: float | None
    stored: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """A known image that is like the query. `similarity` in [-1, 1]."""

    sha256: str
    uri: str
    label: str | None
    family: str | None
    source: str | None
    similarity: float
    score: float | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a search found, with the generation and checkpoint that it was computed from."""

    query_sha256: str
    generation: int
    checkpoint: dict[str, Any]
    score: float | None
    hits: list[Hit]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def query_bytes(index: Index, data: bytes) -> Query:
    """Encode an image that need not be in the gallery. Raises ImageRejected."""
    image = decode(data)
    encodings = index.encoder.encode([image.rgb])
    return Query(
        sha256=image.facts.sha256,
        taps=encodings.taps[0],
        logits=None if encodings.logits is None else encodings.logits[0],
        score=None if encodings.scores is None else float(encodings.scores[0]),
        stored=False,
    )


def query_stored(index: Index, digest: str) -> Query:
    """An image of the gallery as query; needs neither its file nor the model. Raises NotFound."""
    image = index.store.image(digest)
    return Query(
        sha256=digest,
        taps=index.store.taps(np.array([image.id]))[0].astype(np.float32),
        logits=None if image.logits is None else np.array(image.logits, np.float32),
        score=image.score,
        stored=True,
    )


def search(
    index: Index,
    query: Query,
    k: int = 10,
    *,
    where: str | None = None,
    generation: int | None = None,
) -> Answer:
    """The k known images most like the query, nearest first.

    `where` is a filter expression (see `indexer.filters`); a stored query never finds itself.
    Raises UsageError on k < 1 or a bad filter, NotFound on an unknown generation.
    """
    if k < 1:
        raise UsageError(f"k is {k}", expected="at least 1")
    gallery = index.gallery(generation)
    allowed = None
    if where is not None:
        allowed = index.store.ids(parse_filter(where), generation=gallery.generation)
    descriptor = gallery.derived.projection.apply(query.taps[None])[0]
    ids, similarities = gallery.search(descriptor, k + query.stored, allowed)
    hits = [
        Hit(
            sha256=image.sha256,
            uri=image.uris[0],
            label=image.annotation.label,
            family=image.annotation.family,
            source=image.annotation.source,
            similarity=float(similarity),
            score=image.score,
        )
        for image, similarity in zip(
            index.store.images(ids, generation=gallery.generation), similarities, strict=True
        )
        if not (query.stored and image.sha256 == query.sha256)
    ]
    return Answer(
        query_sha256=query.sha256,
        generation=gallery.generation,
        checkpoint=index.checkpoint,
        score=query.score,
        hits=hits[:k],
    )
