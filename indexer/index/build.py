"""The main job: encode what is new and commit it, whatever the moment of a kill.

Each commit is a generation, so a rerun after a kill finds everything that was committed and
does the rest.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from indexer.index.core import Index
from indexer.index.families import settle
from indexer.index.pipeline import Known, Outcome, Rejected, in_order
from indexer.index.runner import Batch, LocalRunner, Runner
from indexer.index.sharing import alone
from indexer.index.timings import Timings
from indexer.store import NewImage, Store
from indexer.types import ImageSource, Shard


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
    runner: Runner = LocalRunner(),  # noqa: B008 holds nothing
    thumbnails: bool = True,
    author: str = "indexer",
    on_progress: Callable[[BuildSummary], None] = lambda _: None,
    timings: Timings | None = None,
) -> BuildSummary:
    """Add every image of `sources` that the index does not know; returns what was done.

    Shards that an earlier build read to their end are left out. Builds of one index at a server
    share the work, and each returns when all of it is done. Bad inputs are recorded with
    their reason and the work goes on. Commits are written by a thread of their own while the
    `runner` encodes the next images. Ends with a fit or new vectors when the gallery has grown
    enough.
    """
    started = time.monotonic()
    timings = timings or Timings()
    summary = BuildSummary()
    read = index.store.shards()

    def commit(batch: Batch) -> None:
        with timings.step("store"):
            _commit(index.store, batch.outcomes, author, summary)
        batch.committed()

    with index.store.claims() as claims:
        unread = [source.without(read) for source in sources]
        batches = runner.run(index, unread, claims, thumbnails=thumbnails, timings=timings)
        for _ in in_order(commit, batches, threads=1, window=lambda: 1):
            on_progress(summary)
        with alone(claims, "fit"):  # who comes later finds that nothing is due
            settle(index, author)
            with timings.step("fit"):
                index.refresh(author)
    summary.generation = index.store.generation
    summary.seconds = time.monotonic() - started
    return summary


def _commit(store: Store, chunk: Sequence[Outcome], author: str, summary: BuildSummary) -> None:
    with store.commit("build", author) as txn:
        txn.add([outcome for outcome in chunk if isinstance(outcome, NewImage)])
        for outcome in chunk:
            if isinstance(outcome, Known):
                txn.locate(outcome.sha256, outcome.uri)
                txn.annotate(outcome.sha256, outcome.annotation, origin="import")
            elif isinstance(outcome, Rejected):
                txn.reject(outcome.uri, outcome.error.reason, str(outcome.error))
                summary.rejected[outcome.error.reason] += 1
            elif isinstance(outcome, Shard):
                txn.finish(outcome)
    summary.added += txn.added
    summary.known += sum(isinstance(o, NewImage | Known) for o in chunk) - txn.added
