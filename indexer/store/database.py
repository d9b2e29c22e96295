"""What the truth asks of a database; one module for each engine answers it."""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from sqlalchemy import Connection, Dialect, Engine, Table, event, inspect

from indexer.errors import IndexBusy, IndexDamaged, LineupError, UsageError

if TYPE_CHECKING:
    from indexer.store.claims import Claims

BUSY_SECONDS: Final = 120
DATABASE: Final = "lineup_database"
"""Execution option of every connection: its `Database`."""
BEGIN: Final = "lineup_begin"
"""Execution option of a connection: the statement that begins its transactions."""

Rows = Iterable[Mapping[str, Any]]


class Database(Protocol):
    """A place for one truth. `place` is how messages name it; `engine` lends connections that
    read, each transaction from one snapshot; `dialect` compiles what the driver itself runs."""

    place: str
    engine: Engine
    dialect: Dialect

    def is_there(self) -> bool:
        """Whether there is anything to open; nothing is made by asking."""
        ...

    def creating(self) -> AbstractContextManager[Connection]:
        """The transaction that makes the tables, alone. Raises UsageError where there are any."""
        ...

    def writing(self) -> AbstractContextManager[Connection]:
        """A transaction that will write; durable when it has ended."""
        ...

    def keys(self, connection: Connection, table: Table, count: int) -> Sequence[int]:
        """Ascending ids that no row of `table` has or had."""
        ...

    def insert(self, connection: Connection, table: Table, rows: Rows) -> None:
        """Insert rows, all of which have the same columns, by the engine's fastest way."""
        ...

    def number_on(self, connection: Connection, table: Table) -> None:
        """Go on numbering rows of `table` after those that were inserted with their ids."""
        ...

    def claims(self, scope: str) -> "AbstractContextManager[Claims]":
        """Claims that this process may make, on the work of an index, for as long."""
        ...

    def damage(self, connection: Connection) -> Iterator[str]:
        """What the engine itself finds wrong with what it keeps, one line each."""
        ...

    def translated(self, error: BaseException) -> LineupError | None:
        """What an error of the driver means; None where it is none that a user can meet."""
        ...


def database_at(place: Path | str) -> Database:
    """The database of a path (SQLite) or a URL (PostgreSQL). Raises UsageError on a URL of
    anything else, MissingExtra."""
    if is_url(place):
        from indexer.store.postgresql import PostgreSQL  # psycopg, only where it is used

        return PostgreSQL(str(place))
    from indexer.store.sqlite import SQLite

    return SQLite(Path(place))


def is_url(place: Path | str) -> bool:
    """Whether a truth is at a server, not in a file."""
    return isinstance(place, str) and "://" in place


def attached(engine: Engine, database: Database, begin: str) -> Engine:
    """The engine, whose connections begin transactions with `begin`, tell errors as Lineup's and
    know their database."""
    event.listen(engine, "begin", _begin)
    event.listen(engine, "handle_error", lambda told: database.translated(told.original_exception))
    return engine.execution_options(**{DATABASE: database, BEGIN: begin})


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options()[BEGIN])


def refuse_existing(connection: Connection, place: str) -> None:
    """Raises UsageError where there are tables already."""
    if inspect(connection).get_table_names():
        raise UsageError(f"{place} exists already", expected="a place where nothing is")


def database_of(connection: Connection) -> Database:
    """The database that a connection belongs to."""
    return cast(Database, connection.get_execution_options()[DATABASE])


@contextmanager
def held(lock: "threading.Lock | threading.RLock") -> Iterator[None]:
    """Hold a lock of this process; who waits too long is told that the index is busy."""
    if not lock.acquire(timeout=BUSY_SECONDS):
        raise busy()
    try:
        yield
    finally:
        lock.release()


def busy() -> IndexBusy:
    """The error of a truth that others write to for longer than we wait."""
    return IndexBusy(
        f"somebody else has been writing to the index for {BUSY_SECONDS} s",
        do="wait for that to end, then repeat the command",
    )


def damaged(found: str) -> IndexDamaged:
    """The error of a truth that is not sound."""
    return IndexDamaged(
        found,
        expected="the truth of a Lineup index",
        do="restore the truth from a copy, or build the index again into a new place",
    )
