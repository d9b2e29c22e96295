"""What happened between two generations: the reads by which a gallery follows a commit."""

from typing import Any, Final

import numpy as np
from sqlalchemy import ColumnElement, Connection, Integer, Select, bindparam, or_, select

from indexer.store.family_schema import families, memberships
from indexer.store.prepared import Prepared
from indexer.store.records import Fit
from indexer.store.schema import fits, images, labels
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
RELABELLED: Final = Prepared(
    select(
        or_(
            *(
                select(table.c.id).where(_between(table.c[column])).exists()
                for table in (labels, memberships, families)
                for column in ("added_gen", "removed_gen")
            )
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


def relabelled(connection: Connection, after: int, until: int) -> bool:
    """Whether anything was said, or no longer said, of an image."""
    [[said]] = RELABELLED(connection, after=after, until=until)
    return bool(said)


def fit_at(connection: Connection, generation: int) -> Fit | None:
    """The fit that applies at a generation; None before the first one."""
    found = FIT(connection, until=generation)
    return Fit(*found[0]) if found else None


def _column(rows: list[tuple[Any, ...]]) -> Int64:
    return np.array([row[0] for row in rows], np.int64)
