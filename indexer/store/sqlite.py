"""The truth in one SQLite file."""

import hashlib
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection, Dialect, Table, create_engine, event, insert, text
from sqlalchemy.dialects import sqlite

from indexer.errors import LineupError, UsageError
from indexer.store.claims import Claims, Unshared
from indexer.store.database import (
    BEGIN,
    BUSY_SECONDS,
    Rows,
    attached,
    busy,
    damaged,
    held,
    refuse_existing,
)

DAMAGED: Final = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
BUSY: Final = ("SQLITE_BUSY", "SQLITE_LOCKED")
UNUSABLE: Final = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN")


class SQLite:
    """A `Database` that is one file.

    Connections may be used from any thread; there are as many as threads that read at once.
    """

    def __init__(self, path: Path) -> None:
        self.place = str(path)
        self.dialect: Dialect = sqlite.dialect(paramstyle="named")
        engine = create_engine(
            URL.create("sqlite", database=str(path)),
            connect_args={"timeout": BUSY_SECONDS, "isolation_level": None},
            max_overflow=-1,
            pool_use_lifo=True,  # SQLite drops what a connection has cached when another one writes
        )
        event.listen(engine, "connect", _configure)
        self.engine = attached(engine, self, "BEGIN")
        # Who will write waits for other writers first, not in the middle, where it would have
        # read what is no longer so.
        self._writer = self.engine.execution_options(**{BEGIN: "BEGIN IMMEDIATE"})
        self._path, self._turn = path, threading.Lock()

    def is_there(self) -> bool:
        return self._path.is_file()

    @contextmanager
    def creating(self) -> Iterator[Connection]:
        with self.engine.connect() as connection:
            refuse_existing(connection, self.place)
        _use_write_ahead_log(self._path)
        with self.writing() as connection:
            refuse_existing(connection, self.place)
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        # Threads queue here, in turn; SQLite's own wait is for other processes and polls.
        with held(self._turn), self._writer.begin() as connection:
            yield connection

    def keys(self, connection: Connection, table: Table, count: int) -> Sequence[int]:
        query = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
        last: int = connection.scalar(query, {"name": table.name}) or 0
        return range(last + 1, last + 1 + count)

    def insert(self, connection: Connection, table: Table, rows: Rows) -> None:
        if values := list(rows):
            connection.execute(insert(table), values)

    def number_on(self, connection: Connection, table: Table) -> None:
        """SQLite has noticed the ids (AUTOINCREMENT)."""

    def claims(self, scope: str) -> AbstractContextManager[Claims]:  # noqa: ARG002
        return nullcontext(Unshared())

    def damage(self, connection: Connection) -> Iterator[str]:
        for (line,) in connection.exec_driver_sql("PRAGMA integrity_check"):
            if line != "ok":
                yield f"file: {line}"

    def translated(self, error: BaseException) -> LineupError | None:
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


def _configure(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.create_function("sha256", 1, _sha256, deterministic=True)


def _sha256(data: bytes | None) -> bytes | None:
    """As PostgreSQL's function."""
    return None if data is None else hashlib.sha256(data).digest()


def _use_write_ahead_log(path: Path) -> None:
    """Let readers go on while a commit is written; a lasting property of the file."""
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
