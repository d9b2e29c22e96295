"""Inputs to encodings: read, hash, decode and preprocess in threads, encode in batches.

The order of the inputs is kept and only a bounded window of them is in memory.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from indexer.errors import ImageRejected
from indexer.images import sha256
from indexer.index.encoding import Prepared, encode, named, prepare
from indexer.index.keeping import Keeper, PatchPolicy
from indexer.store import NewImage
from indexer.types import Encoder, SourceItem

T = TypeVar("T")
R = TypeVar("R")

BATCH = 8
"""Images per call of the encoder; larger batches gain nothing on a CPU."""
NO_PATCHES = PatchPolicy(0)


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


def encode_items(
    encoder: Callable[[], Encoder],
    items: Iterable[SourceItem],
    *,
    thumbnails: bool = True,
    patches: PatchPolicy = NO_PATCHES,
    is_known: Callable[[str], bool] = lambda _: False,
) -> Iterator[NewImage | Known | Rejected]:
    """One outcome for each input, in order.

    `encoder` is called when there is something to encode; `is_known`, in threads, with the
    sha256 of an input; `patches` says which are kept.
    """
    keeper = Keeper(encoder, patches)

    def ready(item: SourceItem) -> tuple[SourceItem, Prepared] | Known | Rejected:
        try:
            data = item.read()
            digest = sha256(data)
            if is_known(digest):
                return Known(item, digest)
            return item, prepare(encoder(), data, thumbnail=thumbnails, tiles=keeper.tiles)
        except ImageRejected as error:
            return Rejected(item, error)

    batch: list[tuple[SourceItem, Prepared]] = []
    for outcome in _in_order(ready, items):
        if not isinstance(outcome, tuple):
            yield outcome
            continue
        batch.append(outcome)
        if len(batch) == BATCH:
            yield from _encode(encoder(), keeper, batch)
            batch = []
    if batch:
        yield from _encode(encoder(), keeper, batch)


def _encode(
    encoder: Encoder, keeper: Keeper, batch: list[tuple[SourceItem, Prepared]]
) -> Iterator[NewImage]:
    encoded = encode(encoder, [prepared for _, prepared in batch])
    for (item, prepared), image in zip(batch, encoded, strict=True):
        kept = keeper.keep(image.patches, prepared.tiles, image.facts)
        yield named(image, item.uri, item.annotation, item.metadata, kept)


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
