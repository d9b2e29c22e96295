"""Inputs to encodings: read, hash, decode and preprocess in threads, encode in batches.

The order of the inputs is kept and only a bounded window of them is in memory.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from indexer.errors import ImageRejected
from indexer.images import decode, sha256, thumbnail
from indexer.store import NewImage
from indexer.types import Encoder, Float32, ImageFacts, SourceItem

T = TypeVar("T")
R = TypeVar("R")

BATCH = 8
"""Images per call of the encoder; larger batches gain nothing on a CPU."""


@dataclass(frozen=True, slots=True)
class Known:
    """An input whose content was known already; it was not decoded."""

    item: SourceItem
    sha256: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """An input that cannot be used, and why."""

    item: SourceItem
    error: ImageRejected


@dataclass(frozen=True, slots=True)
class _Ready:
    item: SourceItem
    facts: ImageFacts
    thumbnail: bytes | None
    inputs: Float32


def encode_items(
    encoder: Callable[[], Encoder],
    items: Iterable[SourceItem],
    *,
    thumbnails: bool = True,
    is_known: Callable[[str], bool] = lambda _: False,
) -> Iterator[NewImage | Known | Rejected]:
    """One outcome for each input, in order.

    `encoder` is called when there is something to encode; `is_known`, in threads, with the
    sha256 of an input.
    """

    def prepare(item: SourceItem) -> _Ready | Known | Rejected:
        try:
            data = item.read()
            digest = sha256(data)
            if is_known(digest):
                return Known(item, digest)
            image = decode(data)
            inputs = encoder().prepare(image.rgb)
        except ImageRejected as error:
            return Rejected(item, error)
        return _Ready(item, image.facts, thumbnail(image.rgb) if thumbnails else None, inputs)

    batch: list[_Ready] = []
    for outcome in _in_order(prepare, items):
        if not isinstance(outcome, _Ready):
            yield outcome
            continue
        batch.append(outcome)
        if len(batch) == BATCH:
            yield from _encode(encoder(), batch)
            batch = []
    if batch:
        yield from _encode(encoder(), batch)


def _encode(encoder: Encoder, batch: list[_Ready]) -> Iterator[NewImage]:
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
