"""Decisions: a pure fold that keeps the label law, survives rebuilds and can be undone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.errors import NotFound, UsageError
from indexer.families.decisions import (
    Action,
    Decision,
    Label,
    Memberships,
    Merge,
    NotFake,
    Pin,
    Reject,
    Rename,
    Split,
    Undo,
    active,
    apply,
    check,
    label_id,
    split_id,
)

IMAGES = [f"i{n}" for n in range(8)]
FAMILIES = ["fa", "fb", "fc"]
BASE = Memberships({"i0": "fa", "i1": "fa", "i2": "fa", "i3": "fb", "i4": "fb", "i5": "fc"})

image, family = st.sampled_from(IMAGES), st.sampled_from(FAMILIES)
family_label = st.sampled_from(["x", "y"])
actions: st.SearchStrategy[Action] = st.one_of(
    st.builds(Label, image, family_label),
    st.builds(Reject, image, family),
    st.builds(Merge, family, st.tuples(family)),
    st.builds(Split, family, st.lists(image, min_size=1, max_size=3).map(tuple)),
    st.builds(Rename, family, st.sampled_from(["n", "m"])),
    st.builds(Pin, image, family),
    st.builds(NotFake, image),
    st.builds(Undo, st.integers(0, 11).map(str)),
)
bases = st.builds(Memberships, st.dictionaries(image, family))


def recorded(chosen: list[Action]) -> list[Decision]:
    """The decisions as a store would hold them: an undo names an earlier one."""
    made: list[Decision] = []
    for action in chosen:
        if isinstance(action, Undo) and int(action.decision) >= len(made):
            continue
        made.append(Decision(str(len(made)), "ann", "2026-01-01T00:00:00Z", action))
    return made


sequences = st.lists(actions, max_size=12).map(recorded)


def by(*chosen: Action) -> list[Decision]:
    return recorded(list(chosen))


@given(sequences, bases)
def test_labels_hold_after_every_decision(decisions, base) -> None:
    for length in range(len(decisions) + 1):
        state = apply(decisions[:length], base)
        homes: dict[str, set[str]] = {}
        for one, name in state.label.items():
            homes.setdefault(name, set()).add(state.family[one])
        assert all(len(home) == 1 for home in homes.values())
        assert len({next(iter(home)) for home in homes.values()}) == len(homes)
        assert not state.not_fake & state.family.keys()


@given(sequences, bases, actions)
def test_undo_restores_exactly_the_state_before(decisions, base, action) -> None:
    before = apply(decisions, base)
    # Undoing an undo brings back what it took out; any other decision is simply gone.
    new = Decision("new", "ann", "2026-01-02T00:00:00Z", action)
    assert (
        apply([*decisions, new, Decision("u", "bob", "2026-01-03T00:00:00Z", Undo("new"))], base)
        == before
    )


@given(sequences, bases, st.integers(0, 11))
def test_undo_of_an_older_decision_is_as_if_it_had_never_been(decisions, base, place) -> None:
    live = active(decisions)
    if not live:
        return
    gone = live[place % len(live)]
    undone = apply([*decisions, Decision("u", "ann", "2026-01-03T00:00:00Z", Undo(gone.id))], base)
    assert undone == apply([d for d in live if d != gone], base)


@given(sequences, bases)
def test_the_fold_is_pure(decisions, base) -> None:
    copy = Memberships(dict(base.family))
    assert apply(decisions, base) == apply(decisions, base)
    assert base == copy


@settings(max_examples=50)
@given(sequences, bases, bases)
def test_what_is_certain_outlives_any_rebuild(decisions, base, rebuilt) -> None:
    pinned = Decision("pin", "ann", "2026-01-03T00:00:00Z", Pin("i7", "fz"))
    for clustering in (base, rebuilt):
        state = apply([*decisions, Decision("no", "ann", "", NotFake("i7")), pinned], clustering)
        assert state.family["i7"] == "fz"
        assert "i7" in state.certain


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (Label("i0", "x"), {"i0": "fa"}),
        (Label("i6", "x"), {"i6": label_id("x")}),
        (Reject("i0", "fa"), {"i0": None}),
        (Merge("fa", ("fb", "fc")), {"i3": "fa", "i4": "fa", "i5": "fa"}),
        (Split("fa", ("i0", "i1", "i5")), {"i0": split_id("0"), "i1": split_id("0")}),
        (Rename("fa", "n"), {}),
        (Pin("i5", "fa"), {"i5": "fa"}),
        (NotFake("i5"), {"i5": None}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_each_decision_does(action, expected) -> None:
    wanted = {**BASE.family, **expected}
    assert apply(by(action), BASE).family == {i: f for i, f in wanted.items() if f is not None}


def test_a_merge_also_takes_what_later_builds_find() -> None:
    later = Memberships({**BASE.family, "i6": "fb", "i7": "fb"})
    state = apply(by(Merge("fa", ("fb",))), later)
    assert {i for i, f in state.family.items() if f == "fa"} == {
        "i0",
        "i1",
        "i2",
        "i3",
        "i4",
        "i6",
        "i7",
    }


def test_a_rejected_image_stays_out_unless_an_analyst_says_otherwise() -> None:
    out = by(Reject("i3", "fa"), Merge("fa", ("fb",)))
    assert apply(out, BASE).family["i3"] == "fb"
    assert apply([*out, Decision("2", "ann", "", Pin("i3", "fa"))], BASE).family["i3"] == "fa"


def test_a_second_label_leaves_the_family_of_the_first() -> None:
    state = apply(by(Label("i0", "x"), Label("i1", "y")), BASE)
    assert (state.family["i0"], state.family["i1"]) == ("fa", label_id("y"))


def test_a_merge_against_labels_is_void_and_refused() -> None:
    past = by(Label("i0", "x"), Label("i3", "y"))
    merge = Decision("2", "ann", "", Merge("fa", ("fb",)))
    assert apply([*past, merge], BASE) == apply(past, BASE)
    with pytest.raises(UsageError, match="images labelled x and y would share a family"):
        check(merge, past, BASE)


def test_a_split_that_tears_a_label_apart_is_refused() -> None:
    past = by(Label("i0", "x"), Label("i1", "x"))
    with pytest.raises(UsageError, match="only some of the images labelled x"):
        check(Decision("2", "ann", "", Split("fa", ("i0",))), past, BASE)


def test_what_does_not_exist_is_refused() -> None:
    with pytest.raises(NotFound, match="no family fz"):
        check(Decision("0", "ann", "", Rename("fz", "n")), [], BASE)
    with pytest.raises(NotFound, match="no decision 7"):
        check(Decision("0", "ann", "", Undo("7")), [], BASE)
    with pytest.raises(UsageError, match="a second decision with the id 0"):
        check(Decision("0", "ann", "", Rename("fa", "n")), by(Rename("fa", "m")), BASE)
