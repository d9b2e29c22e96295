"""The main job: encode what is new and commit it, whatever the moment of a kill.

Each commit is a generation, so a rerun after a kill finds everything that was committed and
does the rest.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, TypeVar

from indexer.index.core import Index
from indexer.index.families import settle
from indexer.index.pipeline import Known, Rejected, encode_items, in_order
from indexer.index.timings import Timings
from indexer.store import NewImage, Store
from indexer.types import ImageSource, Shard

T = TypeVar("T")

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


def build(
    index: Index,
    sources: Sequence[ImageSource],
    *,
    thumbnails: bool = True,
    author: str = "indexer",
    on_progress: Callable[[BuildSummary], None] = lambda _: None,
    timings: Timings | None = None,
) -> BuildSummary:
    """Add every image of `sources` that the index does not know; returns what was done.

    Shards that an earlier build read to their end are left out. Bad inputs are recorded with
    their reason and the work goes on. Commits are written by a thread of their own while the
    next images are encoded. Ends with a fit or new vectors when the gallery has grown enough.
    """
    started = time.monotonic()
    timings = timings or Timings()
    summary = BuildSummary()
    read = index.store.shards()
    outcomes = encode_items(
        lambda: index.encoder,
        chain.from_iterable(source.without(read) for source in sources),
        thumbnails=thumbnails,
        patches=index.patch_policy,
        is_known=lambda digest: bool(index.store.known([digest])),
        timings=timings,
    )

    def commit(chunk: list[NewImage | Known | Rejected | Shard]) -> None:
        with timings.step("store"):
            _commit(index.store, chunk, author, summary)

    for _ in in_order(commit, _chunks(outcomes), threads=1, window=lambda: 1):
        on_progress(summary)
    settle(index, author)
    with timings.step("fit"):
        index.refresh(author)
    summary.generation = index.store.generation
    summary.seconds = time.monotonic() - started
    return summary


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
    store: Store,
    chunk: list[NewImage | Known | Rejected | Shard],
    author: str,
    summary: BuildSummary,
) -> None:
    with store.commit("build", author) as txn:
        txn.add([outcome for outcome in chunk if isinstance(outcome, NewImage)])
        for outcome in chunk:
            if isinstance(outcome, Known):
                txn.locate(outcome.sha256, outcome.item.uri)
                txn.annotate(outcome.sha256, outcome.item.annotation, origin="import")
            elif isinstance(outcome, Rejected):
                txn.reject(outcome.item.uri, outcome.error.reason, str(outcome.error))
                summary.rejected[outcome.error.reason] += 1
            elif isinstance(outcome, Shard):
                txn.finish(outcome)
    summary.added += txn.added
    summary.known += sum(isinstance(o, NewImage | Known) for o in chunk) - txn.added
