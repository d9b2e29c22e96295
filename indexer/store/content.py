"""What a commit wrote, as counts and hashes, and whether the file still holds it.

The audit row of a commit carries, for every table, how many rows came and went with its
generation and the sha256 over them. So the chain vouches not only for its own rows but for the
images, taps and labels that it tells of.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Connection,
    LargeBinary,
    Row,
    Select,
    Table,
    bindparam,
    func,
    select,
)

from indexer.store.audit_schema import audit
from indexer.store.prepared import Prepared
from indexer.store.schema import generations, metadata

ADDED: Final = "added_gen"
REMOVED: Final = "removed_gen"
AT: Final[BindParameter[int]] = bindparam("generation")

Content = dict[str, dict[str, dict[str, Any]]]
"""{"written" | "ended": {table: {"rows": count, "sha256": over them}}}, empty tables left out."""


class Fingerprint:
    """How many rows, and the sha256 over them in their order. A blob is told by its own."""

    def __init__(self) -> None:
        self._count, self._total = 0, hashlib.sha256()

    def add(self, row: Iterable[object]) -> None:
        """Add a row whose blobs are replaced by their digests."""
        self._count += 1
        self._total.update(json.dumps(list(row), sort_keys=True, default=_blob).encode() + b"\n")

    @property
    def told(self) -> dict[str, Any]:
        """{"rows": count, "sha256": hex}."""
        return {"rows": self._count, "sha256": self._total.hexdigest()}


def content_of(connection: Connection, generation: int) -> Content:
    """What came and went with a generation."""
    return {
        "written": _summaries(connection, _written, generation),
        "ended": _summaries(connection, _ended, generation),
    }


def unfaithful(connection: Connection) -> Iterator[str]:
    """One line for each generation and table that does not hold what the chain recorded."""
    query = select(audit).where(audit.c.generation.is_not(None)).order_by(audit.c.number)
    committed = set()
    for row in connection.execute(query):
        details = _object(row.details)
        if "written" in details:
            committed.add(row.generation)
            yield from _differences(content_of(connection, row.generation), details, row)
    for number in connection.scalars(select(generations.c.number).order_by("number")):
        if number not in committed:
            yield f"generation {number} has no row in the audit chain"


def _object(text: str) -> dict[str, Any]:
    """The details of a row; an edited one may hold anything."""
    try:
        details = json.loads(text)
    except ValueError:
        return {}
    return details if isinstance(details, dict) else {}


def _differences(found: Content, recorded: Content, row: Row[Any]) -> Iterator[str]:
    for change, verb in (("written", "added"), ("ended", "removed")):
        now, then = found[change], recorded[change]
        for name in sorted(now.keys() | then.keys()):
            if now.get(name) != then.get(name):
                yield (
                    f"generation {row.generation}: the rows of {name} that it {verb} are not "
                    f"the ones that audit row {row.number} recorded"
                )


def belongs_to(table: Table) -> Column[int] | None:
    """The column that says with which generation a row of `table` came; None where none does."""
    if table is generations:
        return generations.c.number
    if ADDED in table.c:
        return table.c[ADDED]
    for key in table.foreign_keys:
        if key.column.table is generations:
            return key.parent
    for key in table.foreign_keys:
        if (found := belongs_to(key.column.table)) is not None:
            return found
    return None


def _summaries(
    connection: Connection, query_of: Callable[[Table], Select[Any] | None], generation: int
) -> dict[str, dict[str, Any]]:
    found = {}
    queries, touched = _asked(query_of)
    [has_rows] = touched(connection, generation=generation)
    for (name, query), there in zip(queries, has_rows, strict=True):
        if there:
            rows = Fingerprint()
            for row in connection.execute(query, {AT.key: generation}):
                rows.add(row)
            found[name] = rows.told
    return found


@cache
def _asked(
    query_of: Callable[[Table], Select[Any] | None],
) -> tuple[list[tuple[str, Select[Any]]], Prepared]:
    """The queries by table, and one that tells which of them have rows: few of a commit do."""
    made = ((table.name, query_of(table)) for table in metadata.sorted_tables)
    queries = [(name, query) for name, query in made if query is not None]
    return queries, Prepared(select(*(query.order_by(None).exists() for _, query in queries)))


def _written(table: Table) -> Select[Any] | None:
    """The rows that came with a generation, without what may be set later."""
    if (generation := belongs_to(table)) is None:
        return None
    columns = [_digested(column) for column in table.c if column.name != REMOVED]
    source = table if generation.table is table else table.join(generation.table)
    return _ordered(select(*columns).select_from(source), table).where(generation == AT)


def _ended(table: Table) -> Select[Any] | None:
    """The keys of the rows that went with a generation."""
    if REMOVED not in table.c:
        return None
    return _ordered(select(*table.primary_key), table).where(table.c[REMOVED] == AT)


def _digested(column: Column[Any]) -> ColumnElement[Any]:
    """A column, whose blobs the database digests, so that none is sent back to be hashed."""
    return func.sha256(column) if isinstance(column.type, LargeBinary) else column


def _ordered(query: Select[Any], table: Table) -> Select[Any]:
    return query.order_by(*table.primary_key).execution_options(yield_per=1000)


def _blob(digest: bytes) -> dict[str, str]:
    return {"sha256": digest.hex()}
