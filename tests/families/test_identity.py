"""Lineage: every change between two builds, by hand and by its bookkeeping law."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from indexer.families.identity import Event, match, new_id


def build(*families: str) -> dict[str, int]:
    """Image -> number of family; each string lists its one-letter images."""
    return {image: number for number, images in enumerate(families) for image in images}


def past(**families: str) -> dict[str, str]:
    return {image: name for name, images in families.items() for image in images}


def test_the_first_build_is_births() -> None:
    lineage = match({}, build("ab", "cde"))
    ids = (new_id(["a", "b"]), new_id(["c", "d", "e"]))
    assert lineage.ids == ids
    assert lineage.events == tuple(
        Event("birth", None, name, size) for name, size in sorted(zip(ids, (2, 3), strict=True))
    )


def test_nothing_changed() -> None:
    lineage = match(past(f1="abc", f2="de"), build("de", "abc"))
    assert lineage.ids == ("f2", "f1")
    assert lineage.events == (
        Event("continuation", "f1", "f1", 3),
        Event("continuation", "f2", "f2", 2),
    )


def test_a_split_keeps_the_id_with_the_larger_part() -> None:
    lineage = match(past(f1="abcde"), build("de", "abc"))
    young = new_id(["d", "e"])
    assert lineage.ids == (young, "f1")
    assert lineage.events == (
        Event("birth", None, young, 2),
        Event("continuation", "f1", "f1", 3),
        Event("split", "f1", young, 2),
    )


def test_a_merge_keeps_the_id_of_the_larger_one() -> None:
    lineage = match(past(f1="abc", f2="de"), build("abcde"))
    assert lineage.ids == ("f1",)
    assert lineage.events == (
        Event("continuation", "f1", "f1", 3),
        Event("death", "f2", None, 2),
        Event("merge", "f2", "f1", 2),
    )


def test_moves_joins_and_leavings() -> None:
    lineage = match(past(f1="abcdefgh", f2="ijklmnop"), build("abcdefi", "jklmnopqr"))
    assert lineage.ids == ("f1", "f2")
    assert lineage.events == (
        Event("continuation", "f1", "f1", 6),
        Event("continuation", "f2", "f2", 7),
        Event("move", None, "f2", 2),
        Event("move", "f1", None, 2),
        Event("move", "f2", "f1", 1),
    )


def test_too_little_in_common_is_a_death_and_a_birth() -> None:
    lineage = match(past(f1="abcdefghij"), build("ab"))
    assert lineage.ids == (new_id(["a", "b"]),)
    assert [event.kind for event in lineage.events] == ["birth", "death", "merge"]


def test_a_labelled_family_is_born_with_its_labels_id() -> None:
    assert match({}, build("ab"), {0: "flabel"}).ids == ("flabel",)


images = st.sampled_from("abcdefghijkl")
builds = st.dictionaries(images, st.integers(0, 3)).map(
    lambda found: {i: sorted(set(found.values())).index(n) for i, n in found.items()}
)


@given(st.dictionaries(images, st.sampled_from(["f1", "f2", "f3"])), builds)
def test_events_account_for_every_member(previous, current) -> None:
    lineage = match(previous, current)
    assert len(set(lineage.ids)) == len(lineage.ids) == len(set(current.values()))
    now = Counter(lineage.ids[number] for number in current.values())
    born = {e.after: e.images for e in lineage.events if e.kind == "birth"}
    dead = {e.before: e.images for e in lineage.events if e.kind == "death"}
    flows = [e for e in lineage.events if e.kind not in ("birth", "death")]
    for name, size in Counter(previous.values()).items():
        left = sum(e.images for e in flows if e.before == name)
        assert dead.get(name) == size if name in dead else left == size
    for name, size in now.items():
        came = sum(e.images for e in flows if e.after == name)
        assert born.get(name) == size if name in born else came == size
    assert not born.keys() & dead.keys()
