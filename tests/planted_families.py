"""A gallery with planted families, and random decisions on them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from store_samples import PASSPORT, new_image, sha

from indexer.families.actions import Merge, NotFake, Pin, Reject, Rename, Split, Undo
from indexer.index import Index
from indexer.index.core import TRUTH
from indexer.index.families import build_families
from indexer.store import NewImage, Store
from indexer.types import Annotation

KNOWN, UNKNOWN, EACH = ("glow", "warp"), ("u1", "u2"), 24
REFERENCE = {"name": "planted", "revision": None, "load": {}, "operating_points": []}


def planted(name: str, group: int, annotation: Annotation) -> NewImage:
    """An image whose taps lie near one of five directions."""
    centre = 4 * np.random.default_rng(group).standard_normal((2, 4))
    image = new_image(name, annotation=annotation, metadata={"tool": f"t{group}"}, score=0.9)
    taps = (image.taps + centre).astype(np.float16)
    return NewImage(image.facts, image.uri, image.annotation, image.metadata, taps, None, 0.9)


def gallery() -> Iterator[NewImage]:
    for group, family in enumerate(KNOWN):
        for n in range(EACH):
            yield planted(f"{family}{n}", group, Annotation("fake", family, f"s{n % 2}"))
    for group, family in enumerate(UNKNOWN, 2):
        for n in range(EACH):
            yield planted(f"{family}{n}", group, Annotation("fake"))
    for n in range(EACH):
        yield planted(f"real{n}", 4, Annotation("real", source=f"s{n % 2}"))


def make(root: Path) -> Path:
    """An index of the gallery with one build of families."""
    empty(root)
    with Index.open(root) as index:
        with index.store.commit("build", "test") as txn:
            txn.add(list(gallery()))
        index.refresh()
        assert build_families(index).families == 4
    return root


def empty(root: Path) -> None:
    root.mkdir()
    Store.create(root / TRUTH, PASSPORT, REFERENCE).close()


groups = st.sampled_from(["glow", "warp", "u1", "u2"])
some = st.lists(st.tuples(groups, st.integers(0, 5)), min_size=1, max_size=3, unique=True)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("merge"), groups, groups),
        st.tuples(st.just("split"), groups, some),
        st.tuples(st.just("rename"), groups, st.sampled_from(["n", "m"])),
        st.tuples(st.just("reject"), groups, some),
        st.tuples(st.just("pin"), groups, some),
        st.tuples(st.just("not-fake"), groups, some),
        st.tuples(st.just("undo"), groups, st.integers(0, 5)),
    ),
    min_size=1,
    max_size=6,
)


def action_of(step, families: dict[str, str], made: list[int]):
    kind, group, value = step
    family = families[group]
    images = tuple(sha(f"{g}{n}") for g, n in value) if isinstance(value, list) else ()
    match kind:
        case "merge":
            return Merge(family, (families[value],))
        case "split":
            return Split(family, images)
        case "rename":
            return Rename(family, value)
        case "reject":
            return Reject(images, family)
        case "pin":
            return Pin(images, family)
        case "not-fake":
            return NotFake(images)
        case "undo":
            return Undo(made[value % len(made)]) if made else Undo(0)
