"""Who encodes: the seam between a build and what computes for it."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Protocol

from indexer.index.core import Index
from indexer.index.pipeline import Outcome, encode_items
from indexer.index.sharing import PART, PAUSE_SECONDS, Share
from indexer.index.timings import Timings
from indexer.store import Claims
from indexer.types import ImageSource

COMMIT_IMAGES, COMMIT_SECONDS = 256, 5.0
"""A commit happens after so many inputs or seconds, whichever comes first."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of some inputs, for one commit; `committed` is called after it."""

    outcomes: Sequence[Outcome]
    committed: Callable[[], None] = lambda: None


class Runner(Protocol):
    """Inputs to encodings, by the checkpoint of an index.

    Implementations: `LocalRunner` and `indexer.index.ray_runner.RayRunner`.
    """

    def run(
        self,
        index: Index,
        sources: Iterable[ImageSource],
        claims: Claims,
        *,
        thumbnails: bool,
        timings: Timings,
    ) -> Iterator[Batch]:
        """What becomes of every input, in batches as they come.

        A shard comes after all of its inputs; otherwise the order is free. An input that the
        index knows is not encoded. Nothing is written to the index."""
        ...


class LocalRunner:
    """Encodes in this process, in the order of the inputs.

    Parts that another build holds come last, when it has done them or is no more.
    """

    def run(
        self,
        index: Index,
        sources: Iterable[ImageSource],
        claims: Claims,
        *,
        thumbnails: bool,
        timings: Timings,
    ) -> Iterator[Batch]:
        """See `Runner`."""
        store = index.store
        began = store.generation
        share = Share(store, claims, chain.from_iterable(s.parts(PART) for s in sources))
        while True:
            outcomes = encode_items(
                lambda: index.encoder,
                share,
                thumbnails=thumbnails,
                patches=index.patch_policy,
                is_known=lambda digest: bool(store.known([digest])),
                timings=timings,
            )
            # Committed while we wait for others, who may wait for us.
            yield from _batches(outcomes, share.committed)
            if not share.left:
                return
            time.sleep(PAUSE_SECONDS)
            share = Share(store, claims, share.left, began)


def _batches(outcomes: Iterable[Outcome], committed: Callable[[int], None]) -> Iterator[Batch]:
    batch: list[Outcome] = []
    since = time.monotonic()
    for outcome in outcomes:
        batch.append(outcome)
        if len(batch) >= COMMIT_IMAGES or time.monotonic() - since > COMMIT_SECONDS:
            yield Batch(batch, partial(committed, len(batch)))
            batch, since = [], time.monotonic()
    if batch:
        yield Batch(batch, partial(committed, len(batch)))
