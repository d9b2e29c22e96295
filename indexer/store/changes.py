"""What happened between two generations: the reads by which a gallery follows a commit."""

from typing import Any, Final

import numpy as np
from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    Table,
    bindparam,
    or_,
    select,
    union,
)

from indexer.store.family_schema import decisions, families, family_builds, memberships
from indexer.store.prepared import Prepared
from indexer.store.records import Fit
from indexer.store.schema import fits, images, labels
from indexer.store.sql import live
from indexer.types import Int64

AFTER: Final = bindparam("after", type_=Integer)
UNTIL: Final = bindparam("until", type_=Integer)


def _between(column: ColumnElement[Any]) -> ColumnElement[bool]:
    return column.between(AFTER + 1, UNTIL)


def _ids(*where: ColumnElement[bool]) -> Select[Any]:
    return select(images.c.id).where(*where).order_by(images.c.id)


_removed = images.c.removed_gen
CAME: Final = Prepared(
    _ids(_between(images.c.added_gen), or_(_removed.is_(None), _removed > UNTIL))
)
WENT: Final = Prepared(_ids(_between(_removed), images.c.added_gen <= AFTER))


def _changed(table: Table) -> ColumnElement[bool]:
    return or_(_between(table.c.added_gen), _between(table.c.removed_gen))


RELABELLED: Final = Prepared(
    _ids(
        images.c.sha256.in_(
            union(
                *(select(table.c.sha256).where(_changed(table)) for table in (labels, memberships)),
                select(memberships.c.sha256)
                .join(families, families.c.family == memberships.c.family)
                .where(_changed(families), live(memberships, UNTIL)),
            )
        ),
        live(images, UNTIL),
    )
)
UNSETTLED: Final = Prepared(
    select(
        or_(
            select(labels.c.id).where(_changed(labels), labels.c.origin == "import").exists(),
            *(
                select(table.c.generation).where(_between(table.c.generation)).exists()
                for table in (decisions, family_builds)
            ),
        )
    )
)
FIT: Final = Prepared(
    select(fits.c.generation, fits.c.fitted_on)
    .where(fits.c.generation <= UNTIL)
    .order_by(fits.c.generation.desc())
    .limit(1)
)


def came(connection: Connection, after: int, until: int) -> Int64:
    """Ids, ascending, of the images that are there at `until` and were not at `after`."""
    return _column(CAME(connection, after=after, until=until))


def went(connection: Connection, after: int, until: int) -> Int64:
    """Ids, ascending, of the images that were there at `after` and are not at `until`."""
    return _column(WENT(connection, after=after, until=until))


def relabelled(connection: Connection, after: int, until: int) -> Int64:
    """Ids, ascending, of the images that are there at `until` and of which anything is said
    that was not, or no longer said, their family's name included."""
    return _column(RELABELLED(connection, after=after, until=until))


def unsettled(connection: Connection, after: int, until: int) -> bool:
    """Whether there was a decision, a build of families or an imported word."""
    [[found]] = UNSETTLED(connection, after=after, until=until)
    return bool(found)


def fit_at(connection: Connection, generation: int) -> Fit | None:
    """The fit that applies at a generation; None before the first one."""
    found = FIT(connection, until=generation)
    return Fit(*found[0]) if found else None


def _column(rows: list[tuple[Any, ...]]) -> Int64:
    return np.array([row[0] for row in rows], np.int64)
