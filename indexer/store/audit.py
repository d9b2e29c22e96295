"""The audit chain in the truth: append, read, and record from many threads at once."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, bindparam, insert, select, update

from indexer.custody import Entry, Head, Row, faults, sealed
from indexer.store.audit_schema import audit, audit_head
from indexer.store.content import unfaithful
from indexer.store.database import Database
from indexer.store.prepared import Prepared

_head = select(audit_head.c.number, audit_head.c.hash)
HEAD: Final = Prepared(_head)
LOCKED_HEAD: Final = Prepared(_head.with_for_update())
"""Only one transaction at a time continues the chain; SQLite has but one that writes."""
ROW: Final = Prepared(insert(audit))
END: Final = Prepared(update(audit_head).values(number=bindparam("last"), hash=bindparam("digest")))


def now() -> str:
    """The time as the truth records it: UTC in ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def begin(connection: Connection, start: str, entry: Entry) -> None:
    """Make a new chain that follows the genesis `start`, with its first row."""
    head = {"id": 1, "number": 0, "hash": start}
    connection.execute(insert(audit_head), head)
    append(connection, [entry])


def append(connection: Connection, entries: Sequence[Entry]) -> None:
    """Continue the chain, inside the transaction that writes what the entries tell of."""
    [end] = LOCKED_HEAD(connection)
    rows = sealed(Head(*end), now(), entries)
    for row in rows:
        ROW(connection, **{name: getattr(row, name) for name in Row.__slots__})
    END(connection, last=rows[-1].number, digest=rows[-1].hash)


def head_of(connection: Connection) -> Head:
    """Where the chain ends."""
    [head] = HEAD(connection)
    return Head(*head)


def rows_of(connection: Connection, last: int | None = None) -> Iterator[Row]:
    """The rows of the chain, oldest first; only the `last` ones where that is given."""
    query = select(audit).order_by(audit.c.number)
    if last is not None:
        query = query.where(audit.c.number > head_of(connection).number - last)
    for row in connection.execute(query.execution_options(yield_per=1000)):
        yield Row(*row)


@dataclass(slots=True)
class _Batch:
    """Entries that go into one transaction, and what came of it."""

    entries: list[Entry] = field(default_factory=list)
    done: bool = False
    error: Exception | None = None


class AuditTrail:
    """The audit chain of one index. `genesis` is what it, and no other, follows."""

    def __init__(self, database: Database, genesis: str) -> None:
        self.genesis: Final = genesis
        self._engine, self._writing = database.engine, database.writing
        self._batch = _Batch()
        self._guard = threading.Lock()
        self._turn = threading.Lock()

    @property
    def head(self) -> Head:
        """Where the chain ends."""
        with self._engine.connect() as connection:
            return head_of(connection)

    def hash_at(self, generation: int) -> str:
        """The hash of the row that tells of this commit: it names all that was written until
        then. The genesis for generation 0."""
        told = select(audit.c.hash).where(audit.c.generation == generation)
        with self._engine.connect() as connection:
            found: str | None = connection.scalar(told.order_by(audit.c.number).limit(1))
        return self.genesis if generation == 0 or found is None else found

    def rows(self, last: int | None = None) -> Iterator[Row]:
        """The rows, oldest first; only the `last` ones where that is given."""
        with self._engine.begin() as connection:
            yield from rows_of(connection, last)

    def faults(self, kept: Head | None = None) -> list[str]:
        """Where the chain is not whole, and where the truth does not hold what it tells,
        one line each; empty when nothing is wrong. `kept` is a head that was noted elsewhere."""
        with self._engine.begin() as connection:
            return [
                *faults(self.genesis, rows_of(connection), head_of(connection), kept),
                *unfaithful(connection),
            ]

    def record(self, entry: Entry) -> None:
        """Add a row for something that writes nothing else, such as a query.

        Returns when it is durable. What waits when a transaction begins goes into it together,
        so that under load a row costs a share of a commit.
        """
        with self._guard:
            batch = self._batch
            batch.entries.append(entry)
        with self._turn:
            if not batch.done:
                self._write(batch)
        if batch.error is not None:
            raise batch.error

    def _write(self, batch: _Batch) -> None:
        with self._guard:
            if self._batch is batch:
                self._batch = _Batch()
        try:
            with self._writing() as connection:
                append(connection, batch.entries)
        except Exception as error:  # noqa: BLE001 each who waits is told
            batch.error = error
        batch.done = True
