"""A filter compiled to SQL keeps the same images as its meaning in plain Python."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_samples import PASSPORT, new_image, sha

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
    matches,
    parse_filter,
)
from indexer.store import Store
from indexer.types import Annotation

WORDS = ("a", "B", "b", "é", "it's", "a-b", "ab", "10", "")
NUMBERS = (-1.0, 0.0, 0.25, 9.0, 10.0)
METADATA = (None, "a", "b", "10", "9", "0.25", "x10", 9, 10, 0.25, True, False, [1], {"k": "é"})


@pytest.fixture(scope="module")
def gallery(new_place):
    """A store with every kind of gap and saying, and the row of each image as `matches` sees it."""
    with Store.create(new_place(), PASSPORT) as store:
        for n in range(60):
            with store.commit("build", "ann") as txn:
                annotation = Annotation(
                    (None, "real", "fake")[n % 3],
                    (None, *WORDS)[n % 10],
                    (None, *WORDS)[n * 7 % 10],
                    (None, "2020-01-02", "2021")[n // 3 % 3],
                )
                metadata = {"k": METADATA[n % len(METADATA)], "it's": METADATA[n * 5 % 14]}
                txn.add([new_image(n, None, annotation, metadata, (None, *NUMBERS)[n % 6])])
                if n % 4 == 1:
                    txn.annotate(sha(n - 1), Annotation("fake", WORDS[n % 9]), "analyst")
                if n % 5 == 1:
                    txn.annotate(sha(n - 1), Annotation(None, "b", "B"), "import")
                if n % 11 == 10:
                    txn.remove([sha(n - 7)])
        yield store


def row(image):
    annotation, facts = image.annotation, image.facts
    return {
        "label": annotation.label,
        "family": annotation.family,
        "source": annotation.source,
        "captured_at": annotation.captured_at,
        "score": image.score,
        "format": facts.format,
        "width": facts.width,
        "height": facts.height,
        "sha256": image.sha256,
        **{f"meta.{key}": value for key, value in image.metadata.items()},
    }


@cache
def rows_at(gallery, generation):
    images = gallery.images(gallery.ids(generation=generation), generation)
    return [(image.id, row(image)) for image in images]


text_fields = st.sampled_from(["label", "family", "source", "captured_at", "format", "sha256"])
number_fields = st.sampled_from(["score", "width", "height"])
meta_fields = st.sampled_from(["meta.k", "meta.it's", "meta.absent"])
ops = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
words = st.sampled_from([*WORDS, "fake", "2020-01-02", "2021", "PNG", "true", "[1]", sha(3)])
numbers = st.sampled_from([*NUMBERS, 48.0, 64.0])
leaves = st.one_of(
    st.builds(Comparison, text_fields, ops, words),
    st.builds(Comparison, number_fields, ops, numbers),
    st.builds(Comparison, meta_fields, ops, words | numbers),
    st.builds(In, text_fields, st.lists(words, min_size=1, max_size=4).map(tuple)),
    st.builds(In, meta_fields, st.lists(words | numbers, min_size=1, max_size=4).map(tuple)),
    st.builds(IsNull, text_fields | number_fields | meta_fields),
)
filters = st.recursive(
    leaves,
    lambda part: st.one_of(
        st.builds(Not, part),
        st.builds(And, st.lists(part, min_size=2, max_size=3).map(tuple)),
        st.builds(Or, st.lists(part, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(where=filters, generation=st.integers(0, 60))
def test_sql_keeps_what_the_meaning_keeps(gallery, where, generation):
    expected = [id_ for id_, seen in rows_at(gallery, generation) if matches(where, seen)]
    assert gallery.ids(where, generation).tolist() == expected


def test_a_file_compares_text_with_nul_characters_too(tmp_path):
    with Store.create(tmp_path / "truth.sqlite", PASSPORT) as store:
        with store.commit("build", "ann") as txn:
            txn.add([new_image(n, None, Annotation(family=n)) for n in ("a", "a\0b", "a\0c", "b")])
        found = [store.ids(Comparison("family", op, "a\0b")).tolist() for op in ("<", "=", ">")]
        assert found == [[1], [2], [3, 4]]


deep = MAX_DEPTH - 1


@pytest.mark.parametrize(
    "text",
    [
        "not " * deep + "meta.k > a",
        "not (" * (deep // 2) + "meta.k > a" + ")" * (deep // 2),
        "(meta.k = 1 or family = a and " * deep + "meta.k in (a, 9)" + ")" * deep,
        "(meta.k = 1 and family = a or " * deep + "meta.k in (a, 9)" + ")" * deep,
        " and ".join(["not family < a"] * MAX_COMPARISONS),
        f"family in ({','.join(f'x{n}' for n in range(MAX_VALUES - 1))}, a)",
    ],
)
def test_filters_as_large_as_can_be_written(gallery, text):
    where = parse_filter(text)
    expected = [image.id for image in gallery.images(gallery.ids()) if matches(where, row(image))]
    assert gallery.ids(where).tolist() == expected
