"""A filtered search on Milvus finds what the filter means, at any generation."""

import filter_samples
import numpy as np
from filter_samples import ANNOTATED, COMMITS, filters, rows_at
from hypothesis import strategies as st
from store_samples import PASSPORT

from indexer.filters import matches
from indexer.index import Index
from indexer.index.narrowing import narrowed

WORDS = (
    *filter_samples.WORDS,
    *("a\0b", 'a"b', "a\\b", "\\", "\n", "a%", "\uffff", "\U00010000", "x" * 400, "é" * 300),
)
COVERED = COMMITS // 2
REFERENCE = {"name": "none", "revision": None, "load": {}, "operating_points": []}
expressions = filters(words=WORDS) | filters(texts=ANNOTATED, meta=(), words=WORDS)
generations = st.integers(COVERED + 1, COMMITS + 1)


def filled(path, url):
    """An index whose collection is of half its generations."""
    index = Index.create_for(path, PASSPORT, REFERENCE, "ann", url)
    for n in range(COMMITS):
        if n == COVERED:
            index.fit()
        filter_samples.commit(index.store, n, WORDS)
    return index


def assert_found(index, where, generation):
    """All that `where` keeps, nothing else, and the nearest of it first."""
    gallery = index.gallery(generation)
    assert gallery.derived.covers == COVERED
    query = np.eye(gallery.derived.projection.dim, dtype=np.float32)[0]
    kept = narrowed(index.store, gallery, where)
    found, _ = gallery.search(query, 2 * COMMITS, kept)
    assert gallery.search(query, 2, kept)[0].tolist() == found[:2].tolist()
    expected = [id_ for id_, seen in rows_at(index.store, generation) if matches(where, seen)]
    assert sorted(found.tolist()) == expected
