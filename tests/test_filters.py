"""The filter expression: what is read, what is refused, what it means."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.errors import UsageError
from indexer.filters import (
    MAX_COMPARISONS,
    MAX_DEPTH,
    MAX_VALUES,
    And,
    Comparison,
    In,
    IsNull,
    Not,
    Or,
    as_expression,
    as_number,
    as_text,
    matches,
    narrowed,
    parse_filter,
)

A, B, C = Comparison("family", "=", "a"), Comparison("source", "=", "b"), IsNull("captured_at")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("family=a", A),
        ("  family  =  'a' ", A),
        ('family = "a"', A),
        ("family = 'it''s'", Comparison("family", "=", "it's")),
        ("family = 5", Comparison("family", "=", "5")),
        ("family = and", Comparison("family", "=", "and")),
        ("source = file:///a/b.jpg", Comparison("source", "=", "file:///a/b.jpg")),
        ("score >= -.5e1", Comparison("score", ">=", -5.0)),
        ("width!=640", Comparison("width", "!=", 640.0)),
        ("sha256 = ABcd", Comparison("sha256", "=", "abcd")),
        ("meta.camera = x", Comparison("meta.camera", "=", "x")),
        ("meta.a.b < 3", Comparison("meta.a.b", "<", 3.0)),
        ("meta.year = '2020'", Comparison("meta.year", "=", "2020")),
        ("captured_at is null", C),
        ("captured_at IS NOT NULL", Not(C)),
        ("label in (fake)", In("label", ("fake",))),
        ("meta.n not in (1, 'x')", Not(In("meta.n", (1.0, "x")))),
        ("family=a or source=b and captured_at is null", Or((A, And((B, C))))),
        ("(family=a or source=b) and captured_at is null", And((Or((A, B)), C))),
        ("not family=a and source=b", And((Not(A), B))),
        ("not not (family=a)", Not(Not(A))),
        ("family=a and source=b and captured_at is null", And((A, B, C))),
    ],
)
def test_what_is_read(text, expected):
    assert parse_filter(text) == expected
    assert parse_filter(as_expression(expected)) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "position 1: found the end; expected one of captured_at"),
        ("colour = red", "position 1: found colour; expected one of captured_at"),
        ("meta. = 1", "position 1: found meta."),
        ("'family' = a", "position 1: found 'family'"),
        ("family", "position 7: found the end; expected one of = != < <= > >="),
        ("family like a", "position 8: found like"),
        ("family = ", "position 10: found the end; expected a value"),
        ("family = (", "position 10: found (; expected a value"),
        ("score > high", "position 9: found high; expected a number"),
        ("score > '1'", "position 9: found '1'; expected a number"),
        ("label = fale", "position 9: found fale; expected real or fake"),
        ("family = a source = b", "position 12: found source; expected and, or, or the end"),
        ("(family = a", "position 12: found the end; expected and, or, or )"),
        ("family = a)", "position 11: found ); expected and, or, or the end"),
        ("family in a", "position 11: found a; expected ("),
        ("family in (a b)", "position 14: found b; expected , or )"),
        ("family in ()", "position 12: found ); expected a value"),
        ("family is a", "position 11: found a; expected null or not null"),
        ("family is not a", "position 15: found a; expected null"),
        ("family not = a", "position 12: found =; expected in"),
        ("family = 'a", "position 10: found 'a; expected a field, an operator"),
        ("family = \ud800", "position 10: found half a character"),
        ("family =! a", "position 9: found ! a"),
        ("not " * MAX_DEPTH + "family = a", f"expected at most {MAX_DEPTH} levels"),
        ("(" * 100_000, f"expected at most {MAX_DEPTH} levels"),
        (
            " or ".join(["family = a"] * (MAX_COMPARISONS + 1)),
            f"expected at most {MAX_COMPARISONS} comparisons",
        ),
        (f"family in ({','.join('a' * (MAX_VALUES + 1))})", f"at most {MAX_VALUES} values"),
    ],
)
def test_what_is_refused_says_where_and_what_was_expected(text, told):
    with pytest.raises(UsageError) as caught:
        parse_filter(text)
    assert told in str(caught.value)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text(alphabet="family=<>!()'\" not in is null,andor.5-\u00e9\0", max_size=40))
def test_any_text_is_read_or_refused(text):
    try:
        where = parse_filter(text)
    except UsageError:
        return
    assert matches(where, {}) in (True, False)
    assert parse_filter(as_expression(where)) == where


ROW = {"family": "b", "score": 0.5, "meta.year": "2020", "meta.n": 7, "meta.flag": True}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("family = b", True),
        ("family = B", False),
        ("family > a and family < c", True),
        ("source = a", False),
        ("source != a", False),
        ("not source = a", True),
        ("not source != a", True),
        ("source in (a, b)", False),
        ("source not in (a, b)", True),
        ("source is null", True),
        ("score <= 0.5", True),
        ("score < 0.5", False),
        ("meta.year > 2019", True),
        ("meta.year = '2020'", True),
        ("meta.year = 2020.0", True),
        ("meta.year = '2020.0'", False),
        ("meta.n = '7'", True),
        ("meta.n in (7)", True),
        ("meta.flag = true", True),
        ("meta.flag = 1", False),
        ("meta.none is null", True),
    ],
)
def test_what_it_means(text, expected):
    assert matches(parse_filter(text), ROW) is expected


def test_metadata_as_text_and_as_number():
    values = [None, "x", "-2.5", "1_0", "", " 1", "nan", 3, 2.5, True, [1, "é"], {"b": 1, "a": 2}]
    assert [as_text(value) for value in values] == [
        *(None, "x", "-2.5", "1_0", "", " 1", "nan", "3", "2.5", "true"),
        *('[1, "é"]', '{"a": 2, "b": 1}'),
    ]
    assert [as_number(value) for value in values] == [
        *(None, None, -2.5, None, None, None, None, 3.0, 2.5, None, None, None),
    ]


@pytest.mark.parametrize(
    ("text", "label", "kept"),
    [
        (None, None, None),
        (None, "fake", ["a", "b"]),
        ("source = 's'", None, ["a", "c"]),
        ("source = 's' or source = 't'", "fake", ["a", "b"]),
    ],
)
def test_an_expression_is_narrowed_by_a_label(text, label, kept):
    rows = {
        "a": {"label": "fake", "source": "s"},
        "b": {"label": "fake", "source": "t"},
        "c": {"label": "real", "source": "s"},
    }
    where = narrowed(text, label)
    assert (where and [name for name, row in rows.items() if matches(where, row)]) == kept


def test_an_expression_cannot_break_out_of_a_label():
    with pytest.raises(UsageError):
        narrowed("source = 's') or (label = 'real'", "fake")
