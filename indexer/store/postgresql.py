"""The truth on a PostgreSQL server, through psycopg."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, cast

from sqlalchemy import (
    URL,
    Connection,
    Dialect,
    Table,
    create_engine,
    event,
    func,
    make_url,
    select,
    text,
)
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import ArgumentError

from indexer.errors import IndexBusy, IndexUnreachable, LineupError, MissingExtra, UsageError
from indexer.store.claims import AdvisoryLocks, Claims
from indexer.store.database import (
    BEGIN,
    BUSY_SECONDS,
    Rows,
    attached,
    busy,
    damaged,
    refuse_existing,
)

try:
    import psycopg
    from psycopg import sql
except ImportError as error:
    raise MissingExtra("psycopg", "postgresql", "an index on PostgreSQL") from error

_Driver = psycopg.Connection[tuple[object, ...]]

DRIVER: Final = "postgresql+psycopg"
CREATING: Final = 0x6C696E65757001
"""The advisory lock of who makes tables."""
SETTINGS: Final = (
    "SET synchronous_commit = on",  # whatever the server's default: what is told is durable
    "SET jit = off",  # compiling a long filter takes seconds, running it milliseconds
    f"SET lock_timeout = '{BUSY_SECONDS}s'",
    # A writer whose machine has vanished holds up the others for a minute.
    "SET tcp_keepalives_idle = 30",
    "SET tcp_keepalives_interval = 10",
    "SET tcp_keepalives_count = 3",
)
COPIED: Final = {
    "BIGINT": "int8",
    "BOOLEAN": "bool",
    "BYTEA": "bytea",
    "FLOAT": "float8",
    "INTEGER": "int4",
    "JSON": "json",
    "TEXT": "text",
}
"""Type of a column -> its name in a binary COPY."""


class PostgreSQL:
    """A `Database` that is one database of a server, or one schema of it where the URL sets a
    `search_path`.

    Whoever writes sees what was committed before each statement; the row locks that
    `Transaction` and the audit chain take put writers in order.
    """

    def __init__(self, url: str) -> None:
        self.place = url
        self.dialect: Dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]
        engine = create_engine(
            _checked(url),
            connect_args={"autocommit": True},  # transactions begin as `attached` says
            max_overflow=-1,
            pool_pre_ping=True,
        )
        event.listen(engine, "connect", _configure)
        self.engine = attached(engine, self, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        self._writer = self.engine.execution_options(
            **{BEGIN: "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"}
        )

    def is_there(self) -> bool:
        return True  # as connecting tells

    @contextmanager
    def creating(self) -> Iterator[Connection]:
        with self.writing() as connection:
            connection.execute(select(func.pg_advisory_xact_lock(CREATING)))
            refuse_existing(connection, self.place)
            encoding = connection.scalar(text("SHOW server_encoding"))
            if encoding != "UTF8":
                raise UsageError(
                    f"the database has the encoding {encoding}",
                    expected="UTF8",
                    do="make it with: createdb -T template0 -E UTF8 NAME",
                )
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        with self._writer.begin() as connection:
            yield connection

    def keys(self, connection: Connection, table: Table, count: int) -> Sequence[int]:
        sequence = func.pg_get_serial_sequence(table.name, "id")
        numbers = func.generate_series(1, count)
        made = select(func.nextval(sequence)).select_from(numbers)
        return sorted(connection.scalars(made))

    def insert(self, connection: Connection, table: Table, rows: Rows) -> None:
        if values := list(rows):
            names = list(values[0])
            kinds = [table.c[name].type.compile(self.dialect).split()[0] for name in names]
            columns = sql.SQL(", ").join(map(sql.Identifier, names))
            statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)")
            driver = cast(_Driver, connection.connection.driver_connection)
            try:
                with driver.cursor().copy(
                    statement.format(sql.Identifier(table.name), columns)
                ) as copy:
                    copy.set_types([COPIED[kind] for kind in kinds])
                    for row in values:
                        copy.write_row([row[name] for name in names])
            except Exception as error:
                raise self.translated(error) or error from error

    def number_on(self, connection: Connection, table: Table) -> None:
        if table.autoincrement_column is not None:
            sequence = func.pg_get_serial_sequence(table.name, table.autoincrement_column.name)
            last = select(func.max(table.autoincrement_column)).scalar_subquery()
            connection.execute(select(func.setval(sequence, last)))

    @contextmanager
    def claims(self, scope: str) -> Iterator[Claims]:
        with self.engine.connect() as connection:
            try:
                yield AdvisoryLocks(connection, scope)
            finally:
                connection.invalidate()  # with it every lock ends

    def damage(self, connection: Connection) -> Iterator[str]:
        for setting in ("fsync", "full_page_writes"):
            if connection.scalar(text(f"SHOW {setting}")) == "off":
                yield f"server: {setting} is off, so a crash can lose or damage what was committed"

    def translated(self, error: BaseException) -> LineupError | None:
        if isinstance(error, UnicodeEncodeError):
            return _unstorable(str(error))
        if not isinstance(error, psycopg.Error):
            return None
        told = " ".join(str(error).split())
        match error.sqlstate or "":
            case "" if isinstance(error, psycopg.DataError):  # found by psycopg itself
                return _unstorable(told)
            case "" if isinstance(error, psycopg.OperationalError):
                return _unreachable(told)
            case "22021" | "22P02" | "22P05":
                return _unstorable(told)
            case "55P03":
                return busy()
            case "40001" | "40P01":
                return IndexBusy(f"another writer was faster: {told}", do="repeat the command")
            case "42501" | "25006":
                return LineupError(
                    f"the index on the server cannot be used: {told}",
                    expected="a role that may make, read and write the tables of the index, on a "
                    "server that is no standby, since every search is recorded",
                )
            case state if state.startswith(("08", "57P", "3D", "28")):
                return _unreachable(told)
            case state if state.startswith(("53", "58")):
                return LineupError(
                    f"the server cannot serve the index: {told}",
                    expected="free space, memory and connections",
                )
            case "XX001" | "XX002":
                return damaged(told)
        return None


def _checked(url: str) -> URL:
    """Raises UsageError unless it is a URL of PostgreSQL without a password."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = URL.create("unknown")
    if parsed.drivername != DRIVER:
        raise UsageError(
            f"an index at {parsed.drivername}://",
            expected=f"a folder, or {DRIVER}://USER@HOST/DATABASE",
        )
    if parsed.password is not None or any("password" in key for key in parsed.query):
        raise UsageError(
            "the URL of the index carries a password",
            expected=f"{DRIVER}://USER@HOST/DATABASE",
            do="put the password into PGPASSWORD or ~/.pgpass",
        )
    return parsed


def _configure(connection: _Driver, _record: object) -> None:
    connection.execute("; ".join(SETTINGS))


def _unstorable(found: str) -> UsageError:
    return UsageError(
        f"text that cannot be stored: {found}",
        expected="Unicode text; PostgreSQL stores no NUL character",
    )


def _unreachable(found: str) -> IndexUnreachable:
    return IndexUnreachable(
        f"the database of the index cannot be reached: {found}",
        expected="a server that runs, a database that exists, and the password, if one is "
        "needed, in PGPASSWORD or ~/.pgpass",
        do="make a database with: createdb -T template0 -E UTF8 NAME",
    )
