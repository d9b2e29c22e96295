"""The expressions that every query shares: what is live, what is said, what a filter means.

Making an expression costs more than running it for ten images, so recent ones are kept.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, Table, and_, case, false, func, not_, or_, select

from indexer.filters import (
    META,
    OPERATORS,
    And,
    Comparison,
    Filter,
    In,
    IsNull,
    Not,
    Or,
)
from indexer.store.family_schema import families, memberships
from indexer.store.schema import images, labels, terms

FACTS: Final = ("sha256", "bytes", "format", "mode", "width", "height", "orientation", "animated")
ANNOTATED: Final = ("label", "family", "source", "captured_at")
CHUNK: Final = 2000
"""Values in one IN: below every engine's limit of parameters (SQLite 32,766)."""

T = TypeVar("T")
Number = int | ColumnElement[int]
"""A generation, or the parameter that will hold it."""


def chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """`values` in pieces that fit one IN."""
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))


@lru_cache(maxsize=64)
def live(table: Table, generation: Number) -> ColumnElement[bool]:
    """Whether a row of `table` is there at `generation`."""
    removed = table.c.removed_gen
    return and_(table.c.added_gen <= generation, or_(removed.is_(None), removed > generation))


@lru_cache(maxsize=64)
def effective(field: str, generation: Number, *, said: bool = False) -> ColumnElement[Any]:
    """An annotation field of the image row, see `annotated`; the family is the name of the one
    in force where there is a membership, with `said` where that is somebody's word."""
    if field != "family":
        return annotated(field, generation)
    here = [memberships.c.sha256 == images.c.sha256, live(memberships, generation)]
    if said:
        here.append(memberships.c.said)
    name = (
        select(families.c.name)
        .join(memberships, memberships.c.family == families.c.family)
        .where(*here, live(families, generation))
        .correlate(images)
        .scalar_subquery()
    )
    member = select(memberships.c.id).where(*here).correlate(images).exists()
    return case((member, name), else_=annotated(field, generation))


@lru_cache(maxsize=64)
def annotated(field: str, generation: Number) -> ColumnElement[Any]:
    """An annotation field of the image row: said by an analyst last, else imported last,
    else what the image came with."""
    word = (
        select(labels.c.value)
        .where(labels.c.sha256 == images.c.sha256, labels.c.field == field)
        .where(live(labels, generation))
        .order_by(case((labels.c.origin == "analyst", 0), else_=1), labels.c.id.desc())
        .limit(1)
        .correlate(images)
        .scalar_subquery()
    )
    return func.coalesce(word, images.c[field])


def imported(field: str, generation: int) -> ColumnElement[Any]:
    """An annotation field of the image row as imports have it, whatever analysts say."""
    word = (
        select(labels.c.value)
        .where(labels.c.sha256 == images.c.sha256, labels.c.field == field)
        .where(live(labels, generation), labels.c.origin == "import")
        .order_by(labels.c.id.desc())
        .limit(1)
        .correlate(images)
        .scalar_subquery()
    )
    return func.coalesce(word, images.c[field])


def compiled(where: Filter, generation: int) -> ColumnElement[bool]:
    """The condition on image rows that `where` means; see `indexer.filters` for the meaning."""
    match where:
        case Comparison(field, op, value):
            # Missing compares false, whatever the operator, so that `not` can invert it.
            compared = OPERATORS[op](_read(field, type(value), generation), value)
            return func.coalesce(compared, false())
        case In(field, values):
            return or_(
                *(
                    func.coalesce(_read(field, kind, generation).in_(same), false())
                    for kind in (str, float)
                    if (same := [value for value in values if isinstance(value, kind)])
                )
            )
        case IsNull(field):
            return _read(field, str, generation).is_(None)
        case Not(part):
            return not_(compiled(part, generation))
        case And(parts):
            return and_(*(compiled(part, generation) for part in parts))
        case Or(parts):
            return or_(*(compiled(part, generation) for part in parts))


def _read(field: str, kind: type, generation: int) -> ColumnElement[Any]:
    if field.startswith(META):
        column = terms.c.number if kind is float else terms.c.text
        return (
            select(column)
            .where(terms.c.image_id == images.c.id, terms.c.key == field.removeprefix(META))
            .correlate(images)
            .scalar_subquery()
        )
    if field in ANNOTATED:
        return effective(field, generation)
    return images.c[field]
