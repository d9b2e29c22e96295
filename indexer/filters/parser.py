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
"""

import re
from dataclasses import dataclass
from typing import Final

from indexer.errors import UsageError
from indexer.filters.expression import (
    META,
    NUMBER,
    OPERATORS,
    And,
    Comparison,
    Filter,
    In,
    IsNull,
    Not,
    Or,
)

TEXT_FIELDS: Final = frozenset({"label", "family", "source", "captured_at", "format", "sha256"})
NUMBER_FIELDS: Final = frozenset({"score", "width", "height"})
LABELS: Final = ("real", "fake")
MAX_COMPARISONS: Final = 200
MAX_DEPTH: Final = 12
"""Nesting; with the subqueries of a field this stays within the 100 of SQLite's parser."""
MAX_VALUES: Final = 1000

TOKEN: Final = re.compile(
    r"""\s*(?:(?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*")"""
    r"""|(?P<symbol><=|>=|!=|[=<>(),])|(?P<word>[^\s'"=<>!(),]+))"""
)


def narrowed(text: str | None, label: str | None = None) -> Filter | None:
    """The filter of an expression and a label, of either, or None. Raises UsageError."""
    where = None if text is None else parse_filter(text)
    if label is None:
        return where
    labelled = Comparison("label", "=", label)
    return labelled if where is None else And((where, labelled))


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
