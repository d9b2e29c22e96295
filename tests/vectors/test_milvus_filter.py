"""A filter compiled for Milvus."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from milvus_filters import WORDS

from indexer.filters import Comparison, In, matches, parse_filter
from indexer.vectors.milvus_filter import COMPARED_BYTES, TEXT_BYTES, expression, stored


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("label = fake", 'label != "" and label == ".fake"'),
        ("family in ('it''s', 'a\"b')", 'family != "" and family in [".it\'s", ".a\\"b"]'),
        ("not source is null", 'not (source == "")'),
        ("score < 0.5", "scored == true and score < 0.5"),
        ("score is null or width is null", "(scored == false) or (id < 0)"),
        ("width > 1e20 and height = 7", f"(width > 1{'0' * 20}.0) and (height == 7.0)"),
    ],
)
def test_expressions_as_they_are_written(where, expected):
    assert expression(parse_filter(where)) == expected


@pytest.mark.parametrize(
    "where",
    [
        "meta.case = 17",
        f"sha256 = {'a' * 64}",
        "label = fake and not (width > 9 or meta.case is null)",
        f"family = '{'é' * 251}'",
        f"family in (a, '{'é' * 251}')",
    ],
)
def test_what_milvus_would_not_evaluate_alike_is_not_compiled(where):
    assert expression(parse_filter(where)) is None


def test_what_is_held_of_an_image():
    assert stored({}) == {
        **dict.fromkeys(("label", "family", "source", "captured_at", "format"), ""),
        "width": 0.0,
        "height": 0.0,
        "score": 0.0,
        "scored": False,
    }
    held = stored({"family": "", "source": "é" * 400, "score": -1.0, "width": 7})
    assert (held["family"], held["score"], held["scored"], held["width"]) == (".", -1.0, True, 7.0)
    assert held["source"] == "." + "é" * 255


texts = st.one_of(
    st.sampled_from(WORDS),
    st.text(max_size=3),
    st.integers(COMPARED_BYTES - 9, TEXT_BYTES + 9).map("x".__mul__),
    st.integers(COMPARED_BYTES // 2 - 9, TEXT_BYTES // 2 + 9).map("é".__mul__),
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(text=texts, value=texts, op=st.sampled_from(["=", "<", ">="]))
def test_a_text_that_is_held_compares_as_the_whole_does(text, value, op):
    """By UTF-8 bytes, as Milvus does it."""
    if expression(Comparison("family", op, value)) is None:
        assert len(value.encode()) > COMPARED_BYTES
        return
    held = [stored({"family": part})["family"].encode() for part in (text, value)]
    expected = matches(Comparison("family", op, value), {"family": text})
    assert {"=": held[0] == held[1], "<": held[0] < held[1], ">=": held[0] >= held[1]}[
        op
    ] == expected


def test_as_many_values_as_a_filter_may_have_are_compiled():
    assert expression(In("family", tuple(f"x{n}" for n in range(1000)))).count(".x") == 1000
