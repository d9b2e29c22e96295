"""Decisions: a pure fold that keeps the label law, survives rebuilds and can be undone."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.errors import NotFound, UsageError
from indexer.families.actions import (
    Action,
    Decision,
    Label,
    Merge,
    NotFake,
    Pin,
    Reject,
    Rename,
    Split,
    Undo,
    from_json,
    to_json,
)
from indexer.families.decisions import active, apply, decided
from indexer.families.fold import Base, label_id, split_id

IMAGES = [f"i{n}" for n in range(8)]
FAMILIES = ["fa", "fb", "fc"]
BASE = Base({"i0": "fa", "i1": "fa", "i2": "fa", "i3": "fb", "i4": "fb", "i5": "fc"})

image, family = st.sampled_from(IMAGES), st.sampled_from(FAMILIES)
some = st.lists(image, min_size=1, max_size=3).map(tuple)
actions: st.SearchStrategy[Action] = st.one_of(
    st.builds(Label, some, st.sampled_from([None, "fake"]), st.sampled_from(["x", "y"])),
    st.builds(Label, some, st.sampled_from(["real", "fake"])),
    st.builds(Reject, some, family),
    st.builds(Merge, family, st.tuples(family)),
    st.builds(Split, family, some),
    st.builds(Rename, family, st.sampled_from(["n", "m"])),
    st.builds(Pin, some, family),
    st.builds(NotFake, some),
    st.builds(Undo, st.integers(0, 11)),
)
bases = st.builds(
    Base,
    st.dictionaries(image, family),
    st.dictionaries(family, st.sampled_from(["x", "z"])),
    st.dictionaries(family, st.sampled_from(["t", "y"])),
)


def recorded(chosen: list[Action]) -> list[Decision]:
    """The decisions as a store would hold them: an undo names an earlier one."""
    made: list[Decision] = []
    for action in chosen:
        if not isinstance(action, Undo) or action.decision < len(made):
            made.append(Decision(len(made), action))
    return made


sequences = st.lists(actions, max_size=12).map(recorded)


def by(*chosen: Action) -> list[Decision]:
    return recorded(list(chosen))


@given(actions)
def test_actions_are_plain_data_and_back(action) -> None:
    assert from_json(to_json(action)) == action


@given(sequences, bases)
def test_images_labelled_apart_never_share_a_family(decisions, base) -> None:
    for length in range(len(decisions) + 1):
        state = apply(decisions[:length], base)
        words: dict[str, set[str]] = {}
        for one, word in state.word.items():
            words.setdefault(state.family[one], set()).add(word)
        assert all(len(said) == 1 for said in words.values())
        real = {one for one, label in state.label.items() if label == "real"}
        assert not real & state.word.keys()


@given(sequences, bases, actions)
def test_undo_restores_exactly_the_state_before(decisions, base, action) -> None:
    before = apply(decisions, base)
    if isinstance(action, Undo) and action.decision >= len(decisions):
        return
    undone = [*decisions, Decision(100, action), Decision(101, Undo(100))]
    assert apply(undone, base) == before


@given(sequences, bases, st.integers(0, 11))
def test_undo_of_an_older_decision_is_as_if_it_had_never_been(decisions, base, place) -> None:
    live = active(decisions)
    if not live:
        return
    gone = live[place % len(live)]
    undone = apply([*decisions, Decision(100, Undo(gone.number))], base)
    assert undone == apply([d for d in live if d != gone], base)


@given(sequences, bases, actions)
def test_one_more_decision_is_refused_or_the_replay_of_all(decisions, base, action) -> None:
    last = Decision(100, action)
    try:
        state = decided(last, decisions, base).frozen()
    except (NotFound, UsageError):
        return
    assert state == apply([*decisions, last], base)


@given(sequences, bases)
def test_the_fold_is_pure(decisions, base) -> None:
    copy = replace(base, family=dict(base.family))
    assert apply(decisions, base) == apply(decisions, base)
    assert base == copy


@settings(max_examples=50)
@given(sequences, bases, bases)
def test_what_is_decided_outlives_any_rebuild(decisions, base, rebuilt) -> None:
    last = [Decision(100, NotFake(("i7",))), Decision(101, Pin(("i7",), "fz"))]
    for clustering in (base, rebuilt):
        state = apply([*decisions, *last], clustering)
        assert state.family["i7"] == "fz"
        assert "i7" in state.certain


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (Label(("i0",), "fake", "x"), {"i0": "fa"}),  # nobody has named fa
        (Label(("i6",), "fake", "x"), {"i6": label_id("x")}),
        (Label(("i0",), "real"), {"i0": None}),
        (Reject(("i0",), "fa"), {"i0": None}),
        (Merge("fa", ("fb", "fc")), {"i3": "fa", "i4": "fa", "i5": "fa"}),
        (Split("fa", ("i0", "i1", "i5")), {"i0": split_id(0), "i1": split_id(0)}),
        (Rename("fa", "n"), {}),
        (Pin(("i5",), "fa"), {"i5": "fa"}),
        (NotFake(("i5",)), {"i5": None}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_each_decision_does(action, expected) -> None:
    wanted = {**BASE.family, **expected}
    assert apply(by(action), BASE).family == {i: f for i, f in wanted.items() if f is not None}


def test_a_label_finds_the_family_that_is_called_so() -> None:
    base = replace(BASE, labels={"fb": "x"}, terms={"fc": "tool: glow"})
    assert apply(by(Label(("i0",), "fake", "x")), base).family["i0"] == "fb"
    assert apply(by(Label(("i0",), "fake", "tool: glow")), base).family["i0"] == "fc"
    renamed = by(Rename("fa", "n"), Label(("i7",), "fake", "n"))
    assert apply(renamed, base).family["i7"] == "fa"


def test_a_merge_also_takes_what_later_builds_find() -> None:
    later = replace(BASE, family={**BASE.family, "i6": "fb", "i7": "fb"})
    state = apply(by(Merge("fa", ("fb",))), later)
    inside = {i for i, f in state.family.items() if f == "fa"}
    assert inside == {"i0", "i1", "i2", "i3", "i4", "i6", "i7"}


def test_a_rejected_image_stays_out_unless_an_analyst_says_otherwise() -> None:
    out = by(Reject(("i3",), "fa"), Merge("fa", ("fb",)))
    assert apply(out, BASE).family["i3"] == "fb"
    assert apply([*out, Decision(2, Pin(("i3",), "fa"))], BASE).family["i3"] == "fa"


def test_a_second_label_leaves_the_family_of_the_first() -> None:
    state = apply(by(Label(("i0",), "fake", "x"), Label(("i1",), "fake", "y")), BASE)
    assert (state.family["i0"], state.family["i1"]) == ("fa", label_id("y"))


def test_a_merge_against_labels_is_void_and_refused() -> None:
    past = by(Label(("i0",), "fake", "x"), Label(("i3",), "fake", "y"))
    merge = Merge("fa", ("fb",))
    assert apply([*past, Decision(2, merge)], BASE) == apply(past, BASE)
    with pytest.raises(UsageError, match="images labelled x and y would share a family"):
        decided(Decision(2, merge), past, BASE)


@pytest.mark.parametrize(
    ("action", "error", "message"),
    [
        (Rename("fz", "n"), NotFound, "no family fz"),
        (Undo(7), NotFound, "no decision 7"),
        (Undo(0), UsageError, "decision 0 is undone already"),
        (Rename("fb", "m"), UsageError, "there is a family called m"),
        (Split("fa", ("i5",)), UsageError, "none of the images is in family fa"),
    ],
)
def test_what_cannot_be_is_refused(action, error, message) -> None:
    past = by(Rename("fa", "n"), Undo(0), Rename("fa", "m"))
    with pytest.raises(error, match=message):
        decided(Decision(9, action), past, BASE)


@pytest.mark.parametrize(("label", "family"), [(None, None), ("real", "x")])
def test_a_label_that_says_nothing_or_too_much(label, family) -> None:
    with pytest.raises(UsageError):
        Label.of(("i0",), label, family)
