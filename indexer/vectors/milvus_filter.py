"""A filter as a boolean expression of Milvus, and the fields of a collection that it reads.

Milvus before 2.5 knows no missing values, so text is held behind a dot and missing text is the
empty string; Milvus compares text by its UTF-8 bytes, which is the order of code points. A score
is held beside whether there is one.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from indexer.filters import And, Comparison, Filter, In, IsNull, Not, Or, fields

TEXT: Final = ("label", "family", "source", "captured_at", "format")
NUMBERS: Final = ("width", "height")
FIELDS: Final[Mapping[str, type]] = {
    **dict.fromkeys(TEXT, str),
    **dict.fromkeys(NUMBERS, float),
    "score": float,
    "scored": bool,
}
"""The fields of a collection beside id and vector."""
CHANGING: Final = frozenset({"label", "family", "source", "captured_at"})
"""Fields that may be said otherwise after the collection was written."""
TEXT_BYTES: Final = 512
"""What a field holds of a text: longer ones are cut."""
COMPARED_BYTES: Final = 500
"""A filter with a longer text is not compiled. One that is shorter than what is left of a cut
text compares with it as with the whole."""

NEVER: Final = "id < 0"
SYMBOLS: Final = {"=": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


def stored(row: Mapping[str, Any]) -> dict[str, str | float | bool]:
    """What a collection holds of an image of which `row` is known; absent keys are missing."""
    score = row.get("score")
    return {
        **{field: _held(row.get(field)) for field in TEXT},
        **{field: float(row.get(field, 0)) for field in NUMBERS},
        "score": 0.0 if score is None else score,
        "scored": score is not None,
    }


def expression(where: Filter) -> str | None:
    """What Milvus evaluates as `indexer.filters.matches` does; None where it could not: metadata,
    sha256, and texts longer than COMPARED_BYTES."""
    faithful = fields(where) <= {*TEXT, *NUMBERS, "score"} and _short(where)
    return _compiled(where) if faithful else None


def _short(where: Filter) -> bool:
    match where:
        case Comparison(value=str() as value):
            return len(value.encode()) <= COMPARED_BYTES
        case In(values=values):
            return all(len(v.encode()) <= COMPARED_BYTES for v in values if isinstance(v, str))
        case Not(part):
            return _short(part)
        case And(parts) | Or(parts):
            return all(map(_short, parts))
        case _:
            return True


def _compiled(where: Filter) -> str:
    match where:
        case Comparison(field, op, value):
            return _present(field, f"{field} {SYMBOLS[op]} {_literal(value)}")
        case In(field, values):
            return _present(field, f"{field} in [{', '.join(map(_literal, values))}]")
        case IsNull(field):
            return _present(field, "")
        case Not(part):
            return f"not ({_compiled(part)})"
        case And(parts):
            return " and ".join(f"({_compiled(part)})" for part in parts)
        case Or(parts):
            return " or ".join(f"({_compiled(part)})" for part in parts)


def _present(field: str, test: str) -> str:
    """A test that no missing value passes; without one, whether the value is missing."""
    if field in NUMBERS:
        return test or NEVER
    there, missing = (
        ("scored == true", "scored == false")
        if field == "score"
        else (f'{field} != ""', f'{field} == ""')
    )
    return f"{there} and {test}" if test else missing


def _literal(value: str | float) -> str:
    if isinstance(value, str):
        escaped = _held(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'
    text = format(Decimal(repr(value)), "f")
    return text if "." in text else text + ".0"  # a double, however large


def _held(text: str | None) -> str:
    if text is None:
        return ""
    return ("." + text).encode()[:TEXT_BYTES].decode(errors="ignore")
