"""Reads and writes of families; `Store` and `Transaction` lend their connection."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, insert, select, update

from indexer.store.family_schema import (
    decisions,
    families,
    family_builds,
    found,
    lineage,
    memberships,
    proposals,
)
from indexer.store.records import (
    Change,
    Decided,
    FamilyBuild,
    Found,
    Membership,
    NamedFamily,
    Proposal,
)
from indexer.store.schema import generations, images, labels
from indexer.store.sql import chunks, live


def read_decisions(connection: Connection, at: int) -> list[Decided]:
    """Every decision up to generation `at`, oldest first."""
    query = (
        select(generations.c.number, generations.c.author, generations.c.at, decisions.c.action)
        .join(decisions, decisions.c.generation == generations.c.number)
        .where(generations.c.number <= at)
        .order_by(generations.c.number)
    )
    return [Decided(*row) for row in connection.execute(query)]


def read_build(connection: Connection, at: int) -> FamilyBuild | None:
    """The last build of families up to generation `at`."""
    query = select(family_builds).where(family_builds.c.generation <= at)
    row = connection.execute(query.order_by(family_builds.c.generation.desc())).first()
    return None if row is None else FamilyBuild(*row)


def read_found(connection: Connection, build: int) -> list[Found]:
    """What the build of that generation found, by image id."""
    query = (
        select(
            found.c.image_id,
            images.c.sha256,
            *(found.c[name] for name in ("community", "family", "strength", "x", "y")),
        )
        .join(images, images.c.id == found.c.image_id)
        .where(found.c.generation == build)
        .order_by(found.c.image_id)
    )
    return [Found(*row) for row in connection.execute(query)]


def read_proposals(connection: Connection, build: int) -> list[Proposal]:
    """The families that the build of that generation found, by id."""
    query = select(proposals.c.family, proposals.c.term, proposals.c.stability)
    rows = connection.execute(query.where(proposals.c.generation == build).order_by("family"))
    return [Proposal(*row) for row in rows]


def read_memberships(connection: Connection, at: int) -> list[Membership]:
    """Every membership in force at generation `at`, by sha256."""
    columns = (memberships.c[name] for name in ("sha256", "family", "strength", "said"))
    query = select(*columns).where(live(memberships, at)).order_by(memberships.c.sha256)
    return [Membership(*row) for row in connection.execute(query)]


def read_families(connection: Connection, at: int) -> list[NamedFamily]:
    """Every family in force at generation `at`, by id."""
    columns = (families.c[name] for name in ("family", "name", "name_from"))
    query = select(*columns).where(live(families, at)).order_by(families.c.family)
    return [NamedFamily(*row) for row in connection.execute(query)]


def read_lineage(connection: Connection, at: int) -> list[Change]:
    """Every change up to generation `at`, oldest first."""
    columns = (lineage.c[name] for name in ("added_gen", "kind", "before", "after", "images"))
    query = select(*columns).where(lineage.c.added_gen <= at).order_by(lineage.c.id)
    return [Change(*row) for row in connection.execute(query)]


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
    connection: Connection, table: Table, key: str, wanted: Sequence[Any]
) -> Replacement:
    """Compare the live rows, one for each value of `key`, with those that are `wanted`."""
    names = [c.name for c in table.c if c.name not in ("id", "added_gen", "removed_gen")]
    columns = select(*(table.c[name] for name in names)).where(table.c.removed_gen.is_(None))
    place = names.index(key)
    kept = {row[place]: tuple(row) for row in connection.execute(columns)}
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
    if rows:
        connection.execute(insert(table), rows)


def _named(row: Found | Proposal | Change, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}
