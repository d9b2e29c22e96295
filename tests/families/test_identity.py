"""Lineage: every change between two builds, by hand and by its bookkeeping law."""

from collections import Counter
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from indexer.families.identity import Event, changes, match, new_id, pairing


def build(*families: str) -> dict[str, int]:
    """Image -> number of family; each string lists its one-letter images."""
    return {image: number for number, images in enumerate(families) for image in images}


def past(**families: str) -> dict[str, str]:
    return {image: name for name, images in families.items() for image in images}


def grown(previous: dict[str, str], current: dict[str, int]) -> tuple[tuple[str, ...], list[Event]]:
    ids = match(previous, current)
    return ids, changes(previous, {image: ids[number] for image, number in current.items()})


def test_the_first_build_is_births() -> None:
    ids, events = grown({}, build("ab", "cde"))
    assert ids == (new_id(["a", "b"]), new_id(["c", "d", "e"]))
    sizes = sorted(zip(ids, (2, 3), strict=True))
    assert events == [Event("birth", None, name, size) for name, size in sizes]


def test_nothing_changed() -> None:
    assert grown(past(f1="abc", f2="de"), build("de", "abc")) == (("f2", "f1"), [])


def test_a_split_keeps_the_id_with_the_larger_part() -> None:
    ids, events = grown(past(f1="abcde"), build("de", "abc"))
    young = new_id(["d", "e"])
    assert ids == (young, "f1")
    assert events == [Event("birth", None, young, 2), Event("split", "f1", young, 2)]


def test_a_merge_keeps_the_id_of_the_larger_one() -> None:
    ids, events = grown(past(f1="abc", f2="de"), build("abcde"))
    assert ids == ("f1",)
    assert events == [Event("death", "f2", None, 2), Event("merge", "f2", "f1", 2)]


def test_moves_joins_and_leavings() -> None:
    ids, events = grown(past(f1="abcdefgh", f2="ijklmnop"), build("abcdefi", "jklmnopqr"))
    assert ids == ("f1", "f2")
    assert events == [
        Event("move", None, "f2", 2),
        Event("move", "f1", None, 2),
        Event("move", "f2", "f1", 1),
    ]


def test_too_little_in_common_is_a_death_and_a_birth() -> None:
    ids, events = grown(past(f1="abcdefghij"), build("ab"))
    assert ids == (new_id(["a", "b"]),)
    assert [event.kind for event in events] == ["birth", "death", "merge"]


def test_a_labelled_family_is_born_with_its_labels_id() -> None:
    assert match({}, build("ab"), {0: "flabel"}) == ("flabel",)


images = st.sampled_from("abcdefghijkl")
builds = st.dictionaries(images, st.integers(0, 3)).map(
    lambda found: {i: sorted(set(found.values())).index(n) for i, n in found.items()}
)


@given(st.dictionaries(images, st.sampled_from(["f1", "f2", "f3"])), builds)
def test_events_account_for_every_member(previous, current) -> None:
    ids, events = grown(previous, current)
    assert len(set(ids)) == len(ids) == len(set(current.values()))
    was = Counter(previous.values())
    now = Counter(ids[number] for number in current.values())
    assert {e.after: e.images for e in events if e.kind == "birth"} == {
        name: now[name] for name in now.keys() - was.keys()
    }
    assert {e.before: e.images for e in events if e.kind == "death"} == {
        name: was[name] for name in was.keys() - now.keys()
    }
    flows = [e for e in events if e.kind not in ("birth", "death")]
    for name in was.keys() & now.keys():
        came = sum(e.images for e in flows if e.after == name)
        left = sum(e.images for e in flows if e.before == name)
        assert was[name] + came - left == now[name]


@given(st.dictionaries(images, st.sampled_from(["f1", "f2", "f3"])), builds)
def test_the_pairing_shares_as_many_images_as_any(previous, current) -> None:
    old, numbers = sorted(set(previous.values())), sorted(set(current.values()))
    shared = Counter((previous[i], current[i]) for i in previous.keys() & current)
    most = max(
        (
            sum(shared[pair] for pair in zip(names, numbers, strict=False))
            for names in permutations([*old, *[None] * len(numbers)], len(numbers))
        ),
        default=0,
    )
    assert sum(shared[pair] for pair in pairing(shared)) == most
