"""The filter expression that narrows a gallery: `label = fake and not source in (a, 'b c')`.

Grammar, keywords in any case:

    filter     = conjunction { "or" conjunction }
    conjunction = negation { "and" negation }
    negation   = "not" negation | "(" filter ")" | comparison
    comparison = field ( op value | [ "not" ] "in" "(" value { "," value } ")"
                       | "is" [ "not" ] "null" )
    op         = "=" | "!=" | "<" | "<=" | ">" | ">="
    field      = label | family | source | captured_at | score | format | width | height
               | sha256 | meta.<key>
    value      = bare word | number | 'quoted' | "quoted"   (a doubled quote stands for itself)

Meaning. There are two truth values. A comparison with a missing value is false whatever the
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

from indexer.errors import UsageError

TEXT_FIELDS: Final = frozenset({"label", "family", "source", "captured_at", "format", "sha256"})
NUMBER_FIELDS: Final = frozenset({"score", "width", "height"})
META: Final = "meta."
LABELS: Final = ("real", "fake")
MAX_COMPARISONS: Final = 200
MAX_DEPTH: Final = 12
"""Nesting; with the subqueries of a field this stays within the 100 of SQLite's parser."""
MAX_VALUES: Final = 1000

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


def narrowed(text: str | None, label: str | None = None) -> Filter | None:
    """The filter of an expression and a label, of either, or None. Raises UsageError."""
    where = None if text is None else parse_filter(text)
    if label is None:
        return where
    labelled = Comparison("label", "=", label)
    return labelled if where is None else And((where, labelled))


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


NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?", re.ASCII)
TOKEN: Final = re.compile(
    r"""\s*(?:(?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*")"""
    r"""|(?P<symbol><=|>=|!=|[=<>(),])|(?P<word>[^\s'"=<>!(),]+))"""
)


def parse_filter(text: str) -> Filter:
    """The filter that `text` writes. Raises UsageError with position, found and expected."""
    return _Parser(text).parse()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # "quoted", "symbol", "word" or "end"
    text: str
    position: int  # counted from 1

    def is_keyword(self, *words: str) -> bool:
        return self.kind == "word" and self.text.lower() in words


class _Parser:
    """Recursive descent over the tokens."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._next = 0
        self._depth = 0
        self._comparisons = 0
        self._read_values = 0

    def parse(self) -> Filter:
        where = self._filter()
        self._expect("end", "", "and, or, or the end")
        return where

    def _filter(self) -> Filter:
        parts = [self._conjunction()]
        while self._accept_keyword("or"):
            parts.append(self._conjunction())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _conjunction(self) -> Filter:
        parts = [self._negation()]
        while self._accept_keyword("and"):
            parts.append(self._negation())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _negation(self) -> Filter:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._fail(f"at most {MAX_DEPTH} levels of not and parentheses")
        if self._accept_keyword("not"):
            where: Filter = Not(self._negation())
        elif self._accept_symbol("("):
            where = self._filter()
            self._expect("symbol", ")", "and, or, or )")
        else:
            where = self._comparison()
        self._depth -= 1
        return where

    def _comparison(self) -> Filter:
        self._comparisons += 1
        if self._comparisons > MAX_COMPARISONS:
            self._fail(f"at most {MAX_COMPARISONS} comparisons")
        field = self._field()
        if self._accept_keyword("is"):
            negated = self._accept_keyword("not")
            if not self._accept_keyword("null"):
                self._fail("null" if negated else "null or not null")
            return Not(IsNull(field)) if negated else IsNull(field)
        if self._accept_keyword("not"):
            if not self._accept_keyword("in"):
                self._fail("in")
            return Not(self._values(field))
        if self._accept_keyword("in"):
            return self._values(field)
        token = self._take()
        if token.kind != "symbol" or token.text not in OPERATORS:
            self._fail("one of = != < <= > >=, in (...), is null", token)
        return Comparison(field, token.text, self._value(field))

    def _values(self, field: str) -> Filter:
        self._expect("symbol", "(", "(")
        values = [self._value(field)]
        while self._accept_symbol(","):
            values.append(self._value(field))
        self._expect("symbol", ")", ", or )")
        return In(field, tuple(values))

    def _field(self) -> str:
        token = self._take()
        name = token.text
        known = name in TEXT_FIELDS | NUMBER_FIELDS or name.removeprefix(META) not in ("", name)
        if token.kind != "word" or not known:
            self._fail(
                f"one of {', '.join(sorted(TEXT_FIELDS | NUMBER_FIELDS))}, meta.<key>", token
            )
        return name

    def _value(self, field: str) -> str | float:
        self._read_values += 1
        if self._read_values > MAX_VALUES:
            self._fail(f"at most {MAX_VALUES} values")
        token = self._take()
        if token.kind not in ("word", "quoted"):
            self._fail("a value", token)
        text = _unquoted(token.text) if token.kind == "quoted" else token.text
        is_number = token.kind == "word" and NUMBER.fullmatch(text) is not None
        if field in NUMBER_FIELDS and not is_number:
            self._fail("a number", token)
        if field == "label" and text not in LABELS:
            self._fail(" or ".join(LABELS), token)
        if is_number and field not in TEXT_FIELDS:
            return float(text)
        return text.lower() if field == "sha256" else text

    def _take(self) -> _Token:
        token = self._tokens[self._next]
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def _accept_keyword(self, word: str) -> bool:
        return self._tokens[self._next].is_keyword(word) and bool(self._take())

    def _accept_symbol(self, text: str) -> bool:
        token = self._tokens[self._next]
        return token.kind == "symbol" and token.text == text and bool(self._take())

    def _expect(self, kind: str, text: str, expected: str) -> None:
        token = self._take()
        if (token.kind, token.text) != (kind, text):
            self._fail(expected, token)

    def _fail(self, expected: str, token: _Token | None = None) -> None:
        token = token or self._tokens[self._next]
        found = "the end" if token.kind == "end" else token.text
        raise UsageError(f"filter, position {token.position}: found {found}", expected=expected)


def _tokens(text: str) -> list[_Token]:
    if lone := re.search("[\ud800-\udfff]", text):
        raise UsageError(
            f"filter, position {lone.start() + 1}: found half a character", expected="Unicode text"
        )
    tokens, position, end = [], 0, len(text.rstrip())
    while position < end:
        found = TOKEN.match(text, position)
        if found is None:
            rest = text[position:end]
            start = position + len(rest) - len(rest.lstrip())
            raise UsageError(
                f"filter, position {start + 1}: found {text[start : start + 20]}",
                expected="a field, an operator, a value or a closed quote",
            )
        kind = str(found.lastgroup)
        tokens.append(_Token(kind, found[kind], found.start(kind) + 1))
        position = found.end()
    return [*tokens, _Token("end", "", len(text) + 1)]


def _unquoted(text: str) -> str:
    quote = text[0]
    return text[1:-1].replace(quote * 2, quote)
