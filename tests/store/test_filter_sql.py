"""A filter compiled to SQL keeps the same images as its meaning in plain Python."""

import pytest
from filter_samples import COMMITS, commit, filters, row, rows_at
from hypothesis import given, settings
from hypothesis import strategies as st
from store_samples import PASSPORT, new_image

from indexer.filters import (
    MAX_COMPARISONS,
    MAX_DEPTH,
    MAX_VALUES,
    Comparison,
    matches,
    parse_filter,
)
from indexer.store import Store
from indexer.types import Annotation


@pytest.fixture(scope="module")
def gallery(new_place):
    """A store with every kind of gap and saying, and the row of each image as `matches` sees it."""
    with Store.create(new_place(), PASSPORT) as store:
        for n in range(COMMITS):
            commit(store, n)
        yield store


@settings(max_examples=150, deadline=None, derandomize=True)
@given(where=filters(), generation=st.integers(0, COMMITS))
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
