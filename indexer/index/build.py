"""The main job: read, decode, encode and commit, in batches, whatever the moment of a kill.

Reading, hashing, decoding and preprocessing happen in worker threads inside a bounded
window, encoding in the calling thread; each commit is a generation, so a rerun after a kill
finds everything that was committed and does the rest.
"""

import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, TypeVar

import numpy as np

from indexer.errors import ImageRejected
from indexer.images import decode, sha256, thumbnail
from indexer.index.core import Index
from indexer.store import NewImage, Store
from indexer.types import Encoder, Float32, ImageFacts, ImageSource, SourceItem

T = TypeVar("T")
R = TypeVar("R")

BATCH = 8
"""Images per forward pass; larger batches gain nothing on a CPU."""
COMMIT_IMAGES, COMMIT_SECONDS = 256, 5.0
"""A commit happens after so many inputs or seconds, whichever comes first."""


@dataclass(slots=True)
class BuildSummary:
    """What a build did. `rejected` counts the inputs of this run by reason."""

    added: int = 0
    known: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    generation: int = 0
    seconds: float = 0.0

    @property
    def done(self) -> int:
        """Inputs that are dealt with."""
        return self.added + self.known + self.rejected.total()

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "added": self.added,
            "known": self.known,
            "rejected": dict(sorted(self.rejected.items())),
            "generation": self.generation,
            "seconds": round(self.seconds, 3),
            "images_per_second": round(self.images_per_second, 3),
        }

    @property
    def images_per_second(self) -> float:
        """Added images per second of the whole run."""
        return self.added / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class _Ready:
    item: SourceItem
    facts: ImageFacts
    thumbnail: bytes | None
    inputs: Float32


@dataclass(frozen=True, slots=True)
class _Known:
    item: SourceItem
    sha256: str


@dataclass(frozen=True, slots=True)
class _Rejected:
    item: SourceItem
    error: ImageRejected


def build(
    index: Index,
    sources: Sequence[ImageSource],
    *,
    thumbnails: bool = True,
    author: str = "indexer build",
    on_progress: Callable[[BuildSummary], None] = lambda _: None,
) -> BuildSummary:
    """Add every image of `sources` that the index does not know; returns what was done.

    Bad inputs are recorded with their reason and the work goes on. Ends with a fit or new
    vectors when the gallery has grown enough.
    """
    started = time.monotonic()
    summary = BuildSummary()

    def prepare(item: SourceItem) -> _Ready | _Known | _Rejected:
        return _prepare(item, index.store, index.encoder, thumbnails)

    encoded = _encode(index.encoder, _in_order(prepare, chain.from_iterable(sources)))
    for chunk in _chunks(encoded):
        _commit(index.store, chunk, author, summary)
        on_progress(summary)
    index.refresh()
    summary.generation = index.store.generation
    summary.seconds = time.monotonic() - started
    return summary


def _prepare(
    item: SourceItem, store: Store, encoder: Encoder, thumbnails: bool
) -> _Ready | _Known | _Rejected:
    try:
        data = item.read()
        digest = sha256(data)
        if store.known([digest]):
            return _Known(item, digest)
        image = decode(data)
    except ImageRejected as error:
        return _Rejected(item, error)
    small = thumbnail(image.rgb) if thumbnails else None
    return _Ready(item, image.facts, small, encoder.prepare(image.rgb))


def _in_order(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Results in the order of `items`, worked on by threads inside a bounded window."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        window: deque[Future[R]] = deque()
        for item in items:
            window.append(pool.submit(work, item))
            if len(window) > 2 * BATCH:
                yield window.popleft().result()
        while window:
            yield window.popleft().result()


def _encode(
    encoder: Encoder, outcomes: Iterable[_Ready | _Known | _Rejected]
) -> Iterator[NewImage | _Known | _Rejected]:
    """Replace what is ready by its encoding, a batch at a time."""
    batch: list[_Ready] = []
    for outcome in outcomes:
        if not isinstance(outcome, _Ready):
            yield outcome
            continue
        batch.append(outcome)
        if len(batch) == BATCH:
            yield from _new_images(encoder, batch)
            batch = []
    if batch:
        yield from _new_images(encoder, batch)


def _new_images(encoder: Encoder, batch: list[_Ready]) -> Iterator[NewImage]:
    encodings = encoder.encode_prepared([ready.inputs for ready in batch])
    for row, ready in enumerate(batch):
        yield NewImage(
            facts=ready.facts,
            uri=ready.item.uri,
            annotation=ready.item.annotation,
            metadata=ready.item.metadata,
            taps=encodings.taps[row].astype(np.float16),
            logits=None if encodings.logits is None else encodings.logits[row],
            score=None if encodings.scores is None else float(encodings.scores[row]),
            thumbnail=ready.thumbnail,
        )


def _chunks(items: Iterable[T]) -> Iterator[list[T]]:
    chunk: list[T] = []
    since = time.monotonic()
    for item in items:
        chunk.append(item)
        if len(chunk) >= COMMIT_IMAGES or time.monotonic() - since > COMMIT_SECONDS:
            yield chunk
            chunk, since = [], time.monotonic()
    if chunk:
        yield chunk


def _commit(
    store: Store, chunk: list[NewImage | _Known | _Rejected], author: str, summary: BuildSummary
) -> None:
    with store.commit("build", author) as txn:
        txn.add([outcome for outcome in chunk if isinstance(outcome, NewImage)])
        for outcome in chunk:
            if isinstance(outcome, _Known):
                txn.locate(outcome.sha256, outcome.item.uri)
                txn.annotate(outcome.sha256, outcome.item.annotation, origin="import")
            elif isinstance(outcome, _Rejected):
                txn.reject(outcome.item.uri, outcome.error.reason, str(outcome.error))
                summary.rejected[outcome.error.reason] += 1
    summary.added += txn.added
    summary.known += sum(not isinstance(outcome, _Rejected) for outcome in chunk) - txn.added
