"""Families of an index: decisions take effect at once, survive builds, and can be undone."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from planted_families import EACH, KNOWN, UNKNOWN, action_of, empty, gallery, make, planted, steps
from store_samples import sha

from indexer.errors import NotFound, UsageError
from indexer.families.actions import Label, Merge, NotFake, Pin, Reject, Rename, Split, Undo
from indexer.filters import parse_filter
from indexer.index import Index, query_stored, search
from indexer.index.cards import card, cards, lineage_of, members_of, places
from indexer.index.families import build_families, decide, settle
from indexer.types import Annotation


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("families") / "my.index")


@pytest.fixture
def index(built: Path, tmp_path: Path) -> Iterator[Index]:
    shutil.copytree(built, tmp_path / "copy")
    with Index.open(tmp_path / "copy") as index:
        yield index


def force(index: Index) -> tuple[object, ...]:
    """Everything in force, as a reader sees it."""
    store = index.store
    ids = store.ids()
    columns = store.columns(ids)
    return (
        store.families.memberships(),
        store.families.named(),
        columns.family,
        columns.label,
        store.counts().by_family,
        cards(index),
    )


def family_of(index: Index, name: str) -> str | None:
    """The family that a search shows for an image: its nearest neighbour's hit or its own."""
    hits = search(index, query_stored(index, sha("real0")), 200).hits
    return next(hit.family for hit in hits if hit.sha256 == sha(name))


def ids_of(index: Index) -> dict[str, str]:
    return {named.name: named.family for named in index.store.families.named()}


def unknown(index: Index, name: str) -> str:
    """The id of the family that a build found for an image."""
    found = {m.sha256: m.family for m in index.store.families.memberships()}[sha(name)]
    assert found is not None
    return found


def test_a_build_finds_known_and_unknown_families(index: Index) -> None:
    names = ids_of(index)
    assert {"glow", "warp", "tool: t2", "tool: t3"} == set(names)
    for family in KNOWN:
        found = card(index, family)
        assert (found.size, found.labelled, found.purity) == (EACH, EACH, 1.0)
    assert {m.sha256 for m in members_of(index, names["tool: t2"])} == {
        sha(f"u1{n}") for n in range(EACH)
    }
    assert index.store.counts().by_family == {
        "": EACH,
        **dict.fromkeys(["glow", "warp", "tool: t2", "tool: t3"], EACH),
    }
    assert all(
        change.kind == "birth" and change.images == EACH
        for change in index.store.families.lineage()
    )
    assert len(places(index)) == 5 * EACH


def test_found_families_are_filtered_searched_and_judged_by(index: Index) -> None:
    where = parse_filter("family = 'tool: t2'")
    hits = search(index, query_stored(index, sha("u10")), 50, where=where).hits
    assert {hit.sha256 for hit in hits} == {sha(f"u1{n}") for n in range(1, EACH)}
    answer = search(index, query_stored(index, sha("u10")))
    assert answer.families[0].family == "tool: t2"


def test_fits_learn_only_from_what_somebody_said(index: Index) -> None:
    columns = index.store.columns(index.store.ids(), said=True)
    assert set(columns.family) == {*KNOWN, None}
    names = ids_of(index)
    decide(index, Rename(names["glow"], "Glow 2"), "ann")
    decide(index, Pin((sha("u10"),), names["tool: t3"]), "ann")
    columns = index.store.columns(index.store.ids(), said=True)
    assert set(columns.family) == {"Glow 2", "warp", "tool: t3", None}


def test_a_rebuild_of_the_same_gallery_is_equal_to_the_byte(index: Index, tmp_path: Path) -> None:
    build = index.store.families.build()
    assert build is not None
    once = index.store.families.found(build.generation)
    generation = index.store.generation
    assert build_families(index).changed is False
    assert index.store.generation == generation

    fresh = tmp_path / "fresh"
    empty(fresh)
    with Index.open(fresh) as other:
        with other.store.commit("build", "test") as txn:
            txn.add(list(gallery()))
        other.refresh()
        build_families(other)
        again = other.store.families.build()
        assert again is not None
        assert other.store.families.found(again.generation) == once
        assert other.store.families.proposals(again.generation) == index.store.families.proposals(
            build.generation
        )
        assert force(other)[:2] == force(index)[:2]


def test_decisions_show_in_the_very_next_search(index: Index) -> None:
    names = ids_of(index)
    decide(index, Merge(names["glow"], (names["warp"],)), "ann")
    assert family_of(index, "warp0") == "glow"
    split = decide(index, Split(names["glow"], (sha("glow0"), sha("glow1"))), "ann")
    own = family_of(index, "glow0")
    assert own not in ("glow", None)
    decide(index, Rename(ids_of(index)[str(own)], "Case 7"), "ann")
    assert family_of(index, "glow1") == "Case 7"
    decide(index, Reject((sha("glow2"),), names["glow"]), "ann")
    assert family_of(index, "glow2") is None
    decide(index, Label((sha("u20"),), "fake", "Case 7"), "ann")
    assert family_of(index, "u20") == "Case 7"
    decide(index, NotFake((sha("u21"),)), "ann")
    assert family_of(index, "u21") is None
    assert index.store.image(sha("u21")).annotation.label == "real"
    decide(index, Undo(split), "ann")
    assert family_of(index, "glow0") == "glow"
    last = index.store.families.decisions()[-1]
    assert (last.author, last.action) == ("ann", {"kind": "undo", "decision": split})
    assert index.store.check() == []


def test_earlier_generations_are_read_as_they_were(index: Index) -> None:
    before, state = index.store.generation, force(index)
    decide(index, Merge(ids_of(index)["glow"], (ids_of(index)["warp"],)), "ann")
    then = index.store.columns(index.store.ids(), generation=before)
    assert then.family == state[2]
    assert cards(index, before) == state[5]


def test_every_change_is_in_the_lineage(index: Index) -> None:
    names = ids_of(index)
    merge = decide(index, Merge(names["glow"], (names["warp"],)), "ann")
    changes = [c for c in lineage_of(index, names["warp"]) if c.generation == merge]
    assert [(c.kind, c.before, c.after, c.images) for c in changes] == [
        ("death", names["warp"], None, EACH),
        ("merge", names["warp"], names["glow"], EACH),
    ]
    undo = decide(index, Undo(merge), "ann")
    changes = [c for c in lineage_of(index, names["warp"]) if c.generation == undo]
    assert [(c.kind, c.images) for c in changes] == [("birth", EACH), ("split", EACH)]


def test_a_labelled_image_that_was_taken_out_hinders_no_decision(index: Index) -> None:
    decide(index, Label((sha("glow0"),), "fake", "halo"), "ann")
    with index.store.commit("remove", "ann") as txn:
        txn.remove([sha("glow0")])
    decide(index, Rename(ids_of(index)["warp"], "weft"), "ann")
    assert {"glow", "weft", "tool: t2", "tool: t3"} == set(ids_of(index))


def test_new_images_join_the_family_they_are_labelled_with(index: Index) -> None:
    decide(index, Rename(ids_of(index)["glow"], "Glow 2"), "ann")
    with index.store.commit("build", "test") as txn:
        txn.add([planted("late", 0, Annotation("fake", "glow"))])
    settle(index, "test")
    assert family_of(index, "late") == "Glow 2"


@pytest.mark.parametrize(
    ("action", "error"),
    [
        (NotFake((sha("nowhere"),)), NotFound),
        (Rename("f0", "x"), NotFound),
        (Undo(1), NotFound),
    ],
)
def test_what_is_refused_writes_nothing(index: Index, action, error) -> None:
    before, generation = force(index), index.store.generation
    with pytest.raises(error):
        decide(index, action, "ann")
    assert (force(index), index.store.generation) == (before, generation)


def test_decisions_made_at_once_in_two_processes_follow_each_other(index: Index) -> None:
    """Each is worked out before its commit, and anew when another came in between."""
    images = [sha(f"{name}{n}") for name in UNKNOWN for n in range(6)]

    def label(names: list[str]) -> list[int]:
        with Index.open(index.path) as other:  # another store: no lock is shared
            return [decide(other, Label((one,), "fake", "seen"), "test") for one in names]

    with ThreadPoolExecutor(2) as pool:
        numbers = [n for part in pool.map(label, (images[::2], images[1::2])) for n in part]
    assert sorted(numbers) == [d.generation for d in index.store.families.decisions()]
    assert len(set(numbers)) == len(images)
    before = force(index)
    settle(index, "test")
    assert force(index) == before
    assert index.store.audit.faults() == []


def test_labels_without_any_build(tmp_path: Path) -> None:
    root = tmp_path / "bare"
    empty(root)
    with Index.open(root) as index:
        with index.store.commit("build", "test") as txn:
            txn.add(list(gallery()))
        index.refresh()
        before = index.store.counts().by_family
        label = decide(index, Label((sha("u10"),), "fake", "glow"), "ann")
        assert family_of(index, "u10") == "glow"
        decide(index, Undo(label), "ann")
        assert index.store.counts().by_family == before


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps)
def test_random_decisions_hold_through_three_builds_and_undo_restores(
    built: Path, tmp_path: Path, chosen
) -> None:
    shutil.rmtree(tmp_path / "copy", ignore_errors=True)
    shutil.copytree(built, tmp_path / "copy")
    with Index.open(tmp_path / "copy") as index:
        families = {group: unknown(index, f"{group}7") for group in ("glow", "warp", "u1", "u2")}
        made: list[int] = []
        for step in chosen:
            before = force(index)
            try:
                number = decide(index, action_of(step, families, made), "ann")
            except (NotFound, UsageError):
                assert force(index) == before
                continue
            made.append(number)
            after = force(index)
            undo = decide(index, Undo(number), "ann")
            assert force(index) == before
            decide(index, Undo(undo), "ann")
            assert force(index) == after
        decided = force(index)
        for _ in range(3):
            build_families(index)
            assert force(index) == decided
        assert index.store.check() == []


def test_data_frames_say_what_the_index_says(index: Index) -> None:
    names = ids_of(index)
    merge = decide(index, Merge(names["glow"], (names["warp"],)), "ann")
    decide(index, Undo(merge), "ben")
    frame = index.images()
    columns = index.store.columns(index.store.ids())
    assert frame.index.tolist() == columns.sha256
    assert [name if isinstance(name, str) else None for name in frame["family"]] == columns.family
    assert set(frame.loc[sha("u10"), ["family_id", "meta.tool"]]) == {names["tool: t2"], "t2"}
    assert frame[["x", "y"]].notna().all(axis=None)
    assert index.families()["name"].to_dict() == {found.id: found.name for found in cards(index)}
    said = index.labels()
    assert said[["author", "kind", "undone"]].to_numpy().tolist() == [
        ["ann", "merge", True],
        ["ben", "undo", False],
    ]


def test_frames_of_an_empty_index(tmp_path: Path) -> None:
    empty(tmp_path / "my.index")
    with Index.open(tmp_path / "my.index") as index:
        assert [len(frame) for frame in (index.images(), index.labels())] == [0, 0]


def test_a_decision_made_while_a_commit_waits_stays_in_force(index: Index, monkeypatch) -> None:
    """Between what `settle` and a build read first and their commit, another process decides."""
    glow, commit = ids_of(index)["glow"], index.store.commit

    def late(name: str):
        def after_a_decision(kind: str, author: str):
            monkeypatch.setattr(index.store, "commit", commit)
            with Index.open(index.path) as other:
                decide(other, Rename(glow, name), "ann")
            return commit(kind, author)

        return after_a_decision

    monkeypatch.setattr(index.store, "commit", late("first"))
    settle(index, "test")
    assert ids_of(index)["first"] == glow
    monkeypatch.setattr(index.store, "commit", late("second"))
    build_families(index)
    assert ids_of(index)["second"] == glow
