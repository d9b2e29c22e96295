"""What is kept between decisions comes to the same as the replay of all of them."""

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from planted_families import action_of, make, planted, steps
from store_samples import sha

from indexer.errors import NotFound, UsageError
from indexer.families.actions import Label
from indexer.index import Index
from indexer.index.families import build_families, decide, settle
from indexer.types import Annotation

PLAIN, GLOW, REAL = Annotation("fake"), Annotation("fake", "glow"), Annotation("real")

others = st.one_of(
    st.tuples(st.just("label"), st.sampled_from(["glow", "u1", "late"]), st.integers(0, 5)),
    st.tuples(st.just("come"), st.sampled_from([PLAIN, GLOW, REAL]), st.integers(0, 5)),
    st.tuples(st.just("go"), st.sampled_from(["glow", "u1", "late"]), st.integers(0, 5)),
    st.tuples(st.just("import"), st.sampled_from(["glow", "u1", "late"]), st.integers(0, 5)),
    st.tuples(st.just("settle"), st.none(), st.none()),
    st.tuples(st.just("build"), st.none(), st.none()),
)
histories = st.lists(st.one_of(steps.flatmap(st.sampled_from), others), min_size=4, max_size=12)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("standing") / "my.index")


def live_through(index: Index, history, *, kept: bool) -> None:
    """Do all that can be done; `kept`: with what each decision leaves in force at hand."""
    families = {m.sha256: m.family for m in index.store.families.memberships()}
    groups = {group: families[sha(f"{group}7")] for group in ("glow", "warp", "u1", "u2")}
    made: list[int] = []
    for step in history:
        kind, what, number = step
        name = f"{what}{number}"
        index.gallery()
        if not kept:
            index.standing = None
        match kind:
            case "come":
                with index.store.commit("ingest", "ann") as txn:
                    txn.add([planted(f"late{number}", number % 5, what)])
            case "go":
                with index.store.commit("remove", "ann") as txn:
                    txn.remove([sha(name)])
            case "import":
                if index.store.known([sha(name)]):
                    with index.store.commit("ingest", "ann") as txn:
                        txn.annotate(sha(name), Annotation("fake", "warp"))
            case "settle":
                settle(index, "ann")
            case "build":
                build_families(index)
            case _:
                label = Label((sha(name),), "fake", "case 7") if kind == "label" else None
                try:
                    made.append(decide(index, label or action_of(step, groups, made), "ann"))
                except (NotFound, UsageError):
                    continue


def told(index: Index) -> tuple[object, ...]:
    families = index.store.families
    columns = index.store.columns(index.store.ids())
    everything = (families.memberships(), families.named(), families.lineage(), columns.label)
    return (*everything, columns.family, [d.action for d in families.decisions()])


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(histories)
def test_what_is_kept_between_decisions_is_the_replay_of_all(
    built: Path, tmp_path: Path, history
) -> None:
    outcome = []
    for kept in (True, False):
        root = tmp_path / f"{kept}"
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(built, root)
        with Index.open(root) as index:
            live_through(index, history, kept=kept)
            outcome.append(told(index))
            assert index.store.check() == []
            with Index.open(root) as opened:
                assert index.gallery().reference.known == opened.gallery().reference.known
    assert outcome[0] == outcome[1]


def test_a_decision_needs_no_replay_of_those_before(built: Path, tmp_path: Path) -> None:
    shutil.copytree(built, tmp_path / "copy")
    with Index.open(tmp_path / "copy") as index:
        decide(index, Label((sha("u10"),), "fake", "case 7"), "ann")
        with index.store.commit("ingest", "ann") as txn:
            txn.add([planted("new", 2, PLAIN)])
        fold = index.standing and index.standing.fold
        decide(index, Label((sha("u11"), sha("new")), "fake", "case 7"), "ann")
        assert fold is not None
        assert index.standing is not None
        assert index.standing.fold is fold
