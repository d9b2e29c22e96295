"""Images with every kind of gap and saying, and filters over them, for every engine that
evaluates filters."""

from functools import cache

from hypothesis import strategies as st
from store_samples import new_image, sha

from indexer.filters import OPERATORS, And, Comparison, In, IsNull, Not, Or
from indexer.types import Annotation

WORDS = ("a", "B", "b", "é", "it's", "a-b", "ab", "10", "")
NUMBERS = (-1.0, 0.0, 0.25, 9.0, 10.0)
METADATA = (None, "a", "b", "10", "9", "0.25", "x10", 9, 10, 0.25, True, False, [1], {"k": "é"})
COMMITS = 60


def commit(store, n, words=WORDS):
    """Generation after generation, n from 0 to COMMITS - 1: an image, and what is said of, or
    removed from, earlier ones."""
    given = (None, *words)
    with store.commit("build", "ann") as txn:
        annotation = Annotation(
            (None, "real", "fake")[n % 3],
            given[n % len(given)],
            given[n * 7 % len(given)],
            (None, "2020-01-02", "2021")[n // 3 % 3],
        )
        metadata = {"k": METADATA[n % len(METADATA)], "it's": METADATA[n * 5 % 14]}
        txn.add([new_image(n, None, annotation, metadata, (None, *NUMBERS)[n % 6])])
        if n % 4 == 1:
            txn.annotate(sha(n - 1), Annotation("fake", words[n % len(words)]), "analyst")
        if n % 5 == 1:
            txn.annotate(sha(n - 1), Annotation(None, "b", "B"), "import")
        if n % 3 == 1 and n // 3 % 11 != 3:  # one that came long ago and is still there
            said = Annotation("real", None, words[n * 3 % len(words)], "2021")
            txn.annotate(sha(n // 3), said, "analyst")
        if n % 11 == 10:
            txn.remove([sha(n - 7)])


def row(image):
    """An image as `indexer.filters.matches` sees it."""
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
def rows_at(store, generation):
    """(id, row) of every image."""
    images = store.images(store.ids(generation=generation), generation)
    return [(image.id, row(image)) for image in images]


ANNOTATED = ("label", "family", "source", "captured_at", "format")


def comparisons(texts=ANNOTATED, words=WORDS):
    """Every comparison of a text field or a number, and whether it is missing."""
    for field in (*texts, "score", "width"):
        values = NUMBERS if field in ("score", "width") else words
        yield IsNull(field)
        yield from (Comparison(field, op, value) for op in OPERATORS for value in values)


def filters(texts=(*ANNOTATED, "sha256"), meta=("meta.k", "meta.it's", "meta.absent"), words=WORDS):
    """Expressions over these fields, and over all numbers."""
    op = st.sampled_from(list(OPERATORS))
    text, number = st.sampled_from(texts), st.sampled_from(["score", "width", "height"])
    word = st.sampled_from([*words, "fake", "2020-01-02", "2021", "PNG", "true", "[1]", sha(3)])
    value = st.sampled_from([*NUMBERS, 48.0, 64.0])

    def some(values):
        return st.lists(values, min_size=1, max_size=4).map(tuple)

    def parts(part):
        return st.lists(part, min_size=2, max_size=3).map(tuple)

    leaves = [
        st.builds(Comparison, text, op, word),
        st.builds(Comparison, number, op, value),
        st.builds(In, text, some(word)),
        st.builds(In, number, some(value)),
        st.builds(IsNull, text | number),
    ]
    if meta:
        key = st.sampled_from(meta)
        leaves += [
            st.builds(Comparison, key, op, word | value),
            st.builds(In, key, some(word | value)),
            st.builds(IsNull, key),
        ]
    return st.recursive(
        st.one_of(leaves),
        lambda part: st.one_of(
            st.builds(Not, part), st.builds(And, parts(part)), st.builds(Or, parts(part))
        ),
        max_leaves=8,
    )
