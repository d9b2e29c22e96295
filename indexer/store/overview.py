"""What there is, in numbers."""

from collections import Counter
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from indexer.store.records import Counts, Generation
from indexer.store.schema import generations, images, locations, rejects
from indexer.store.sql import effective, live


def history(connection: Connection) -> list[Generation]:
    """Every commit, oldest first."""
    added = _tally(connection, images.c.added_gen)
    removed = _tally(connection, images.c.removed_gen)
    rows = connection.execute(select(generations).order_by(generations.c.number))
    return [
        Generation(r.number, r.at, r.kind, r.author, added[r.number], removed[r.number])
        for r in rows
    ]


def counted(connection: Connection, generation: int) -> Counts:
    """How much there is at a generation."""
    here = live(images, generation)
    by_label, by_family = (
        _tally(connection, func.coalesce(effective(field, generation), ""), here)
        for field in ("label", "family")
    )
    located = (
        select(func.count())
        .select_from(locations.join(images))
        .where(here, locations.c.added_gen <= generation)
    )
    rejected = select(func.count()).select_from(rejects).where(live(rejects, generation))
    return Counts(
        images=sum(by_label.values()),
        locations=connection.scalar(located) or 0,
        rejects=connection.scalar(rejected) or 0,
        by_label=dict(by_label),
        by_family=dict(by_family),
    )


def _tally(
    connection: Connection, value: ColumnElement[Any], *where: ColumnElement[bool]
) -> Counter[Any]:
    """How many image rows there are for each value."""
    query = select(value.label("value"), func.count()).where(*where)
    rows = connection.execute(query.group_by("value").order_by("value"))
    return Counter({row[0]: row[1] for row in rows})
