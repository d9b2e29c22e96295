"""Who encodes: the seam between a build and what computes for it."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from indexer.index.core import Index
from indexer.index.pipeline import Outcome, encode_items
from indexer.index.timings import Timings
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
        self, index: Index, sources: Iterable[ImageSource], *, thumbnails: bool, timings: Timings
    ) -> Iterator[Batch]:
        """What becomes of every input, in batches as they come.

        A shard comes after all of its inputs; otherwise the order is free. An input that the
        index knows is not encoded. Nothing is written to the index."""
        ...


class LocalRunner:
    """Encodes in this process, in the order of the inputs."""

    def run(
        self, index: Index, sources: Iterable[ImageSource], *, thumbnails: bool, timings: Timings
    ) -> Iterator[Batch]:
        """See `Runner`."""
        outcomes = encode_items(
            lambda: index.encoder,
            chain.from_iterable(sources),
            thumbnails=thumbnails,
            patches=index.patch_policy,
            is_known=lambda digest: bool(index.store.known([digest])),
            timings=timings,
        )
        return _batches(outcomes)


def _batches(outcomes: Iterable[Outcome]) -> Iterator[Batch]:
    batch: list[Outcome] = []
    since = time.monotonic()
    for outcome in outcomes:
        batch.append(outcome)
        if len(batch) >= COMMIT_IMAGES or time.monotonic() - since > COMMIT_SECONDS:
            yield Batch(batch)
            batch, since = [], time.monotonic()
    if batch:
        yield Batch(batch)
