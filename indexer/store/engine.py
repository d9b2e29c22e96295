"""The connection to SQLite: settings, how a transaction begins, what its errors mean."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event

from indexer.errors import IndexBusy, IndexDamaged, LineupError, UsageError

BUSY_SECONDS: Final = 120
BEGIN: Final = "lineup_begin"
"""Execution option of a connection: the statement that begins its transactions."""

DAMAGED: Final = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
BUSY: Final = ("SQLITE_BUSY", "SQLITE_LOCKED")
UNUSABLE: Final = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN")


def sqlite_engine(path: Path) -> Engine:
    """An engine whose reads see one snapshot per connection and whose commits are durable.

    Connections may be used from any thread; there are as many as threads that read at once.
    """
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": BUSY_SECONDS, "isolation_level": None},
        max_overflow=-1,
        pool_use_lifo=True,  # SQLite drops what a connection has cached when another one writes
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "handle_error", _translate)
    return engine


def writer(engine: Engine) -> Engine:
    """The same connections, for transactions that will write: they wait for other writers first,
    not in the middle, where they would have read what is no longer so."""
    return engine.execution_options(**{BEGIN: "BEGIN IMMEDIATE"})


def use_write_ahead_log(path: Path) -> None:
    """Let readers go on while a commit is written; a lasting property of the file."""
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")


def _configure(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection) -> None:
    options: dict[str, Any] = dict(connection.get_execution_options())
    connection.exec_driver_sql(options.get(BEGIN, "BEGIN"))


def _translate(context: ExceptionContext) -> LineupError | None:
    return translated(context.original_exception)


def translated(error: BaseException) -> LineupError | None:
    """What an error of the driver means; None where it is none that a user can meet."""
    if isinstance(error, UnicodeEncodeError):
        return UsageError(f"text that cannot be stored: {error}", expected="Unicode text")
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(DAMAGED):
        return damaged(str(error))
    if name.startswith(BUSY):
        return busy()
    if name.startswith(UNUSABLE):
        return LineupError(
            f"the truth file of the index cannot be used: {error}",
            expected="free space, and permission to read and write it and its folder, "
            "since every search is recorded in it",
            do="copy an index that is read-only to where it may be written",
        )
    return None


def busy() -> IndexBusy:
    """The error of a truth file that others write to for longer than we wait."""
    return IndexBusy(
        f"somebody else has been writing to the index for {BUSY_SECONDS} s",
        do="wait for that to end, then repeat the command",
    )


def damaged(found: str) -> IndexDamaged:
    """The error of a truth file that is not sound."""
    return IndexDamaged(
        found,
        expected="the truth file of a Lineup index",
        do="restore the truth file from a copy, or build the index again into a new folder",
    )
