"""All of a truth into another database, row by row, compared with what it came from."""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, Table, func, select

from indexer.errors import IndexDamaged
from indexer.store.content import Fingerprint
from indexer.store.database import database_of
from indexer.store.schema import metadata

ROWS: Final = 1_000
"""Rows that are in memory at once."""

Told = dict[str, dict[str, Any]]
"""Table -> {"rows": count, "sha256": over them}."""


def row_count(connection: Connection) -> int:
    """The rows of all tables."""
    return sum(
        connection.scalar(select(func.count()).select_from(table)) or 0
        for table in metadata.sorted_tables
    )


def copy_rows(
    source: Connection,
    target: Connection,
    changed: Callable[[Table, dict[str, Any]], dict[str, Any]],
    on_progress: Callable[[int], object],
) -> Told:
    """Copy every row from one snapshot into empty tables, but for what `changed` makes of it,
    and read it back; `on_progress` is told how many were written. Raises IndexDamaged where what
    is read is not what was written.
    """
    database, told, done = database_of(target), {}, 0
    for table in metadata.sorted_tables:
        wanted, found = Fingerprint(), Fingerprint()
        for rows in _all(source, table):
            values = [changed(table, dict(row._mapping)) for row in rows]
            for value in values:
                wanted.add(map(_digested, value.values()))
            database.insert(target, table, values)
            done += len(values)
            on_progress(done)
        database.number_on(target, table)
        for rows in _all(target, table):
            for row in rows:
                found.add(map(_digested, row))
        if found.told != wanted.told:
            raise IndexDamaged(
                f"the copied table {table.name} holds {found.told}",
                expected=f"{wanted.told}, as its origin does",
                do="nothing was copied; check both with: indexer verify",
            )
        told[table.name] = found.told
    return told


def _digested(value: object) -> object:
    return hashlib.sha256(value).digest() if isinstance(value, bytes) else value


def _all(connection: Connection, table: Table) -> Iterator[list[Row[Any]]]:
    query: Select[Any] = select(table).order_by(*table.primary_key)
    rows = connection.execute(query.execution_options(yield_per=ROWS))
    for part in rows.partitions():
        yield list(part)
