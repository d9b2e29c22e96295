"""What the truth tells of families."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Connection, Select, select

from indexer.store.changes import unsettled
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
    Words,
)
from indexer.store.rows import rows_by_id
from indexer.store.schema import generations, images
from indexer.store.sql import annotated, chunks, imported, live
from indexer.types import Int64

Reading = Callable[[int | None], AbstractContextManager[tuple[Connection, int]]]
"""Opens a snapshot and says the generation to read it at."""


class FamilyReads:
    """Families, decisions and builds, as of any generation (None: the latest)."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def decisions(self, generation: int | None = None) -> list[Decided]:
        """What analysts decided on families and labels, oldest first."""
        query = (
            select(generations.c.number, generations.c.author, generations.c.at, decisions.c.action)
            .join(decisions, decisions.c.generation == generations.c.number)
            .order_by(generations.c.number)
        )
        with self._reading(generation) as (connection, at):
            rows = connection.execute(query.where(generations.c.number <= at))
            return [Decided(*row) for row in rows]

    def build(self, generation: int | None = None) -> FamilyBuild | None:
        """The last build of families; None before the first."""
        query = select(family_builds).order_by(family_builds.c.generation.desc())
        with self._reading(generation) as (connection, at):
            row = connection.execute(query.where(family_builds.c.generation <= at)).first()
        return None if row is None else FamilyBuild(*row)

    def found(self, build: int) -> list[Found]:
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
        with self._reading(build) as (connection, _):
            return [Found(*row) for row in connection.execute(query)]

    def proposals(self, build: int) -> list[Proposal]:
        """The families that the build of that generation found, by id."""
        query = select(proposals.c.family, proposals.c.term, proposals.c.stability)
        query = query.where(proposals.c.generation == build).order_by("family")
        with self._reading(build) as (connection, _):
            return [Proposal(*row) for row in connection.execute(query)]

    def memberships(self, generation: int | None = None) -> list[Membership]:
        """The family in force of every image that has one or is said to be in none, by sha256."""
        columns = (memberships.c[name] for name in ("sha256", "family", "strength", "said"))
        query = select(*columns).order_by(memberships.c.sha256)
        with self._reading(generation) as (connection, at):
            rows = connection.execute(query.where(live(memberships, at)))
            return [Membership(*row) for row in rows]

    def named(self, generation: int | None = None) -> list[NamedFamily]:
        """The families in force, by id."""
        columns = (families.c[name] for name in ("family", "name", "name_from"))
        query = select(*columns).order_by(families.c.family)
        with self._reading(generation) as (connection, at):
            return [
                NamedFamily(*row) for row in connection.execute(query.where(live(families, at)))
            ]

    def lineage(self, generation: int | None = None) -> list[Change]:
        """Every change of families, oldest first."""
        columns = (lineage.c[name] for name in ("added_gen", "kind", "before", "after", "images"))
        query = select(*columns).order_by(lineage.c.id)
        with self._reading(generation) as (connection, at):
            return [
                Change(*row) for row in connection.execute(query.where(lineage.c.added_gen <= at))
            ]

    def words(self, ids: Sequence[int] | Int64, generation: int | None = None) -> list[Words]:
        """What imports and analysts say of the label and family of these images, in the given
        order. Raises NotFound."""
        with self._reading(generation) as (connection, at):
            rows = [row for _, part in rows_by_id(connection, _words(at), ids) for row in part]
        return [Words(row.sha256, row.label, row.imported, row.family) for row in rows]

    def words_of(self, sha256s: Iterable[str], generation: int | None = None) -> list[Words]:
        """The same of those of these contents that are there, by sha256."""
        with self._reading(generation) as (connection, at):
            query = _words(at).where(live(images, at))
            return [
                Words(row.sha256, row.label, row.imported, row.family)
                for chunk in chunks(sorted(sha256s))
                for row in connection.execute(
                    query.where(images.c.sha256.in_(chunk)).order_by(images.c.sha256)
                )
            ]

    def unsettled(self, after: int, until: int) -> bool:
        """Whether there was a decision, a build or an imported word, between two generations,
        after <= until."""
        with self._reading(until) as (connection, _):
            return unsettled(connection, after, until)


def _words(generation: int) -> Select[Any]:
    return select(
        images.c.id,
        images.c.sha256,
        imported("label", generation).label("label"),
        imported("family", generation).label("imported"),
        annotated("family", generation).label("family"),
    )
