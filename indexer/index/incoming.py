"""Encodings on their way from workers into an index: one file for each part of the inputs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from uuid import uuid4

from indexer.errors import UsageError
from indexer.index.part_file import read_part
from indexer.index.pipeline import Outcome, Rejected
from indexer.index.runner import COMMIT_IMAGES, Batch
from indexer.sources.storage import DRAFT, Place
from indexer.types import Passport


@dataclass(frozen=True, slots=True)
class Incoming:
    """A folder that every worker and this process can reach; one build at a time uses it."""

    folder: Place
    passport: Passport

    def files(self) -> Iterator[Place]:
        """A file for each part of a run, one after the other; no other run has their names."""
        run = uuid4().hex
        return (self.folder.child(f"{run}-{number:08}.parquet") for number in count())

    def received(self, file: Place) -> Iterator[Batch]:
        """What a worker wrote. Raises UsageError on what only it, or only this machine, sees."""
        try:
            for batch in self._batches(file):
                _check_seen(batch.outcomes, file)
                yield batch
        except OSError as error:
            raise UsageError(
                f"what a worker wrote is not to be read here: {error}",
                expected="a folder or URL that every node reaches, and one build at a time in it",
                do="name one with --shared",
            ) from error

    def left_behind(self) -> Iterator[Batch]:
        """What a build that was killed did not commit; what is damaged will be encoded again.

        Raises UsageError where the folder cannot be looked at."""
        try:
            files = list(self.folder.walk()) if self.folder.exists() else []
        except OSError as error:
            raise UsageError(
                f"{self.folder.url} cannot be looked at: {error}",
                do="correct --shared, or the credentials in the environment",
            ) from error
        for file in files:
            if file.path.endswith(DRAFT):
                file.remove()
                continue
            try:
                yield from self._batches(file)
            except OSError:
                file.remove()

    def _batches(self, file: Place) -> Iterator[Batch]:
        """What a file holds, for commits; after the last one it is removed. Raises OSError."""
        with file.open() as opened:
            outcomes = read_part(opened, self.passport, file.url)
            batch = list(islice(outcomes, COMMIT_IMAGES))
            while following := list(islice(outcomes, COMMIT_IMAGES)):
                yield Batch(batch)
                batch = following
        yield Batch(batch, file.remove)


def _check_seen(outcomes: Sequence[Outcome], file: Place) -> None:
    for outcome in outcomes:
        missing = isinstance(outcome, Rejected) and outcome.error.reason == "missing"
        if missing and Path(outcome.uri).is_file():
            file.remove()
            raise UsageError(
                f"a worker finds no file at {outcome.uri}, where this machine has one",
                expected="inputs that every node reaches under the same name",
                do="use a shared file system, or URLs",
            )
