"""Inputs to encodings: read, hash, decode and preprocess in threads, encode in batches.

Every stage works ahead of the next one, inside a bounded window: the order of the inputs is
kept, and memory does not grow with their number.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from indexer.encoder.engine import cores
from indexer.errors import ImageRejected
from indexer.images import sha256
from indexer.index.encoding import Prepared, encode, named, prepare
from indexer.index.keeping import NO_PATCHES, Keeper, PatchPolicy
from indexer.index.timings import Timings
from indexer.store import NewImage
from indexer.types import Annotation, Encoder, Shard, SourceItem

T = TypeVar("T")
R = TypeVar("R")


TOGETHER = 64
"""So many inputs at most are handed on together, however few of them are to be encoded."""


@dataclass(frozen=True, slots=True)
class Known:
    """An input whose content was known already; it was not decoded."""

    uri: str
    annotation: Annotation
    sha256: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """An input that cannot be used, and why."""

    uri: str
    error: ImageRejected


Outcome = NewImage | Known | Rejected | Shard
"""What becomes of an input; the end of a shard is one of its own."""


@dataclass(frozen=True, slots=True)
class _Ready:
    item: SourceItem
    prepared: Prepared


def encode_items(
    encoder: Callable[[], Encoder],
    items: Iterable[SourceItem | Shard],
    *,
    thumbnails: bool = True,
    patches: PatchPolicy = NO_PATCHES,
    is_known: Callable[[str], bool] = lambda _: False,
    timings: Timings | None = None,
) -> Iterator[Outcome]:
    """One outcome for each input, in order; the end of a shard passes through.

    `encoder` is called when there is something to encode; `is_known`, in threads, with the
    sha256 of an input; `patches` says which are kept. While one batch is encoded a second one
    waits, so that the engine never does.
    """
    keeper = Keeper(encoder, patches)
    size = 1  # of a batch; the encoder knows, but is not loaded before it is needed
    timings = timings or Timings()

    def ready(item: SourceItem | Shard) -> _Ready | Known | Rejected | Shard:
        nonlocal size
        if isinstance(item, Shard):
            return item
        try:
            with timings.step("read"):
                data = item.read()
                digest = sha256(data)
                known = is_known(digest)
            if known:
                return Known(item.uri, item.annotation, digest)
            size = encoder().batch
            prepared = prepare(
                encoder(), data, thumbnail=thumbnails, tiles=keeper.tiles, timings=timings
            )
        except ImageRejected as error:
            return Rejected(item.uri, error)
        return _Ready(item, prepared)

    def encoded(
        batch: list[_Ready | Known | Rejected | Shard],
    ) -> list[Outcome]:
        waiting = [outcome for outcome in batch if isinstance(outcome, _Ready)]
        images = iter(_encode(encoder(), keeper, waiting) if waiting else ())
        return [next(images) if isinstance(o, _Ready) else o for o in batch]

    ahead = in_order(ready, items, threads=cores(), window=lambda: max(2 * size, cores()))
    for batch in in_order(encoded, _batches(ahead, lambda: size), threads=2, window=lambda: 2):
        yield from batch


def in_order(
    work: Callable[[T], R], items: Iterable[T], *, threads: int, window: Callable[[], int]
) -> Iterator[R]:
    """Results in the order of `items`; up to `window()` are worked on ahead of the consumer."""
    with ThreadPoolExecutor(threads) as pool:
        ahead: deque[Future[R]] = deque()
        for item in items:
            ahead.append(pool.submit(work, item))
            while len(ahead) > window():
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _batches(
    outcomes: Iterable[_Ready | Known | Rejected | Shard], size: Callable[[], int]
) -> Iterator[list[_Ready | Known | Rejected | Shard]]:
    """Runs of outcomes with `size()` to encode in each."""
    batch: list[_Ready | Known | Rejected | Shard] = []
    waiting = 0
    for outcome in outcomes:
        batch.append(outcome)
        waiting += isinstance(outcome, _Ready)
        if waiting >= size() or len(batch) == TOGETHER:
            yield batch
            batch, waiting = [], 0
    if batch:
        yield batch


def _encode(encoder: Encoder, keeper: Keeper, batch: list[_Ready]) -> Iterator[NewImage]:
    encoded = encode(encoder, [ready.prepared for ready in batch])
    for ready, image in zip(batch, encoded, strict=True):
        item, tiles = ready.item, ready.prepared.tiles
        kept = keeper.keep(image.patches, tiles, image.facts)
        yield named(image, item.uri, item.annotation, item.metadata, kept)
