"""What contradicts itself in a truth."""

from collections.abc import Iterator

from sqlalchemy import Connection, func, select

from indexer.store.database import database_of
from indexer.store.family_schema import families, memberships
from indexer.store.schema import (
    generations,
    images,
    labels,
    locations,
    metadata,
    rejects,
    shards,
    taps,
)
from indexer.types import Passport


def problems(connection: Connection, passport: Passport) -> list[str]:
    """One line for each contradiction; empty when the truth is sound."""
    return [
        *database_of(connection).damage(connection),
        *_references(connection),
        *_generations(connection),
        *_taps(connection, passport),
        *_orphans(connection),
    ]


def _references(connection: Connection) -> Iterator[str]:
    for table in metadata.sorted_tables:
        for key in table.foreign_keys:
            there = select(key.column).where(key.column == key.parent).correlate(table).exists()
            query = select(*table.primary_key).where(key.parent.is_not(None), ~there)
            for row in connection.execute(query):
                where = ", ".join(map(str, row))
                yield (
                    f"{table.name}: row {where} refers to a row of "
                    f"{key.column.table.name} that is not there"
                )


def _generations(connection: Connection) -> Iterator[str]:
    numbers = list(connection.scalars(select(generations.c.number).order_by("number")))
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"generations: {len(numbers)} rows are not numbered 1 to {len(numbers)}"
    for table in (images, labels, rejects, shards, memberships, families):
        backwards = table.c.removed_gen < table.c.added_gen
        for id_ in connection.scalars(select(table.c.id).where(backwards)):
            yield f"{table.name}: row {id_} was removed before it was added"


def _taps(connection: Connection, passport: Passport) -> Iterator[str]:
    joined = images.outerjoin(taps)
    absent = select(images.c.sha256).select_from(joined).where(taps.c.image_id.is_(None))
    for sha256 in connection.scalars(absent):
        yield f"image {sha256} has no taps"
    size = len(passport.taps) * passport.dim * 2
    stored = func.length(taps.c.data)
    wrong = select(images.c.sha256, stored).select_from(joined).where(stored != size)
    for sha256, length in connection.execute(wrong):
        yield f"image {sha256} has taps of {length} bytes, the passport says {size}"


def _orphans(connection: Connection) -> Iterator[str]:
    located = select(locations.c.image_id)
    for sha256 in connection.scalars(select(images.c.sha256).where(images.c.id.not_in(located))):
        yield f"image {sha256} has no location"
    said = select(labels.c.sha256).distinct()
    for sha256 in connection.scalars(said.where(labels.c.sha256.not_in(select(images.c.sha256)))):
        yield f"labels of {sha256}, which was never in the index"
