"""Writes of families; `Transaction` lends its connection."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, insert, select, update

from indexer.store.database import database_of
from indexer.store.family_schema import decisions, family_builds, found, lineage, proposals
from indexer.store.records import Change, FamilyBuild, Found, Proposal
from indexer.store.schema import labels
from indexer.store.sql import chunks


def insert_decision(connection: Connection, action: Mapping[str, Any], generation: int) -> None:
    """Record a decision."""
    connection.execute(insert(decisions), {"generation": generation, "action": dict(action)})


def insert_build(
    connection: Connection,
    build: FamilyBuild,
    rows: Iterable[Found],
    proposed: Iterable[Proposal],
) -> None:
    """Record what a build found."""
    own = {"generation": build.generation}
    connection.execute(insert(family_builds), {**own, "covers": build.covers, "fit": build.fit})
    of_image = ("image_id", "community", "family", "strength", "x", "y")
    of_family = ("family", "term", "stability")
    _insert(connection, found, [own | _named(row, of_image) for row in rows])
    _insert(connection, proposals, [own | _named(row, of_family) for row in proposed])


def insert_lineage(connection: Connection, changes: Iterable[Change]) -> None:
    """Record changes."""
    names = ("kind", "before", "after", "images")
    _insert(
        connection,
        lineage,
        [{"added_gen": change.generation} | _named(change, names) for change in changes],
    )


@dataclass(frozen=True, slots=True)
class Replacement:
    """What makes some rows the live ones of memberships or families: the values of the `key`
    column whose rows end, and the rows that come."""

    table: Table
    key: str
    ended: list[str]
    added: list[dict[str, Any]]

    def __bool__(self) -> bool:
        return bool(self.ended or self.added)


def replacement(
    connection: Connection,
    table: Table,
    key: str,
    wanted: Sequence[Any],
    among: Collection[str] | None = None,
) -> Replacement:
    """Compare the live rows, one for each value of `key`, with those that are `wanted`; only
    rows whose key is `among` these, where that is given."""
    names = [c.name for c in table.c if c.name not in ("id", "added_gen", "removed_gen")]
    query = select(*(table.c[name] for name in names)).where(table.c.removed_gen.is_(None))
    place = names.index(key)
    parts = (
        [query]
        if among is None
        else [query.where(table.c[key].in_(chunk)) for chunk in chunks(sorted(among))]
    )
    kept = {row[place]: tuple(row) for part in parts for row in connection.execute(part)}
    new = {getattr(row, key): tuple(getattr(row, name) for name in names) for row in wanted}
    return Replacement(
        table,
        key,
        [at for at, values in kept.items() if new.get(at) != values],
        [dict(zip(names, row, strict=True)) for at, row in new.items() if kept.get(at) != row],
    )


def replace_rows(connection: Connection, change: Replacement, generation: int) -> None:
    """Write what was found to differ."""
    table = change.table
    for chunk in chunks(change.ended):
        live_ones = (table.c[change.key].in_(chunk), table.c.removed_gen.is_(None))
        connection.execute(update(table).where(*live_ones).values(removed_gen=generation))
    _insert(connection, table, [row | {"added_gen": generation} for row in change.added])


Said = Mapping[tuple[str, str], str | None]
"""(sha256, field) -> what analysts say, None for nothing."""


def news(connection: Connection, words: Said) -> Said:
    """Those of `words` that analysts do not say already."""
    own = (labels.c.origin == "analyst", labels.c.removed_gen.is_(None))
    query = select(labels.c.sha256, labels.c.field, labels.c.value).order_by(labels.c.id)
    known: dict[tuple[str, str], str] = {}
    for chunk in chunks(sorted({sha256 for sha256, _ in words})):
        for sha256, field, value in connection.execute(
            query.where(*own, labels.c.sha256.in_(chunk))
        ):
            known[sha256, field] = value
    return {key: value for key, value in words.items() if known.get(key) != value}


def replace_words(connection: Connection, words: Said, generation: int) -> None:
    """Make `words` what analysts say."""
    for (sha256, field), value in words.items():
        own = (labels.c.sha256 == sha256, labels.c.field == field, labels.c.origin == "analyst")
        ending = update(labels).where(*own, labels.c.removed_gen.is_(None))
        connection.execute(ending.values(removed_gen=generation))
        if value is not None:
            row = {"sha256": sha256, "field": field, "value": value, "origin": "analyst"}
            connection.execute(insert(labels), row | {"added_gen": generation})


def _insert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    database_of(connection).insert(connection, table, rows)


def _named(row: Found | Proposal | Change, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}
