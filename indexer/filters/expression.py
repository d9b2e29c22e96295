"""What a filter is and what it means.

There are two truth values. A comparison with a missing value is false whatever the
operator, and `not` inverts, so `source != 'a'` leaves out images without a source while
`not source = 'a'` keeps them. Text compares by code point; `captured_at` is ISO 8601 text, so
its order is that of time. Metadata compare as numbers with an unquoted number and as text
otherwise: `meta.year > 2019` also sees the text "2020", and no number where there is none.

`matches` is the meaning in plain Python; every engine's compilation is tested against it.
"""

import json
import operator
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

META: Final = "meta."
"""What the fields of metadata begin with."""

NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?", re.ASCII)

OPERATORS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """`field op value`; the value's type, text or number, decides how the field is read."""

    field: str
    op: str
    value: str | float


@dataclass(frozen=True, slots=True)
class In:
    """`field in (values)`: equal to one of them."""

    field: str
    values: tuple[str | float, ...]


@dataclass(frozen=True, slots=True)
class IsNull:
    """`field is null`."""

    field: str


@dataclass(frozen=True, slots=True)
class Not:
    """`not part`."""

    part: "Filter"


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more parts."""

    parts: "tuple[Filter, ...]"


@dataclass(frozen=True, slots=True)
class Or:
    """Any of two or more parts."""

    parts: "tuple[Filter, ...]"


Filter = Comparison | In | IsNull | Not | And | Or


def matches(where: Filter, row: Mapping[str, Any]) -> bool:
    """Whether `row`, a mapping from field ("meta.<key>" included) to value, passes."""
    match where:
        case Comparison(field, op, value):
            actual = row.get(field)
            if field.startswith(META):
                actual = as_number(actual) if isinstance(value, float) else as_text(actual)
            return actual is not None and OPERATORS[op](actual, value)
        case In(field, values):
            return any(matches(Comparison(field, "=", value), row) for value in values)
        case IsNull(field):
            return row.get(field) is None
        case Not(part):
            return not matches(part, row)
        case And(parts):
            return all(matches(part, row) for part in parts)
        case Or(parts):
            return any(matches(part, row) for part in parts)


def fields(where: Filter) -> set[str]:
    """The fields that a filter reads."""
    match where:
        case Comparison(field=field) | In(field=field) | IsNull(field=field):
            return {field}
        case Not(part):
            return fields(part)
        case And(parts) | Or(parts):
            return set().union(*(fields(part) for part in parts))


def as_expression(where: Filter) -> str:
    """The expression that `parse_filter` reads as this filter."""
    match where:
        case Comparison(field, op, value):
            return f"{field} {op} {_written(value)}"
        case In(field, values):
            return f"{field} in ({', '.join(map(_written, values))})"
        case IsNull(field):
            return f"{field} is null"
        case Not(In(field) as part):
            return as_expression(part).replace(field, f"{field} not", 1)
        case Not(IsNull(field)):
            return f"{field} is not null"
        case Not(part):
            return f"not {_operand(part)}"
        case And(parts):
            return " and ".join(map(_operand, parts))
        case Or(parts):
            return " or ".join(map(_operand, parts))


def _operand(where: Filter) -> str:
    text = as_expression(where)
    return f"({text})" if isinstance(where, And | Or) else text


def _written(value: str | float) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return format(Decimal(repr(value)), "f")  # the grammar knows no three-digit exponents


def as_text(value: object) -> str | None:
    """The text that a metadata value compares as; None when it is missing."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def as_number(value: object) -> float | None:
    """The number that a metadata value compares as; None when it is none."""
    if isinstance(value, str):
        return float(value) if NUMBER.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= sys.float_info.max else None
