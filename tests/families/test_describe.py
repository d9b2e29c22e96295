"""What a family is called, what it shows, how it is laid out."""

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from indexer.families.describe import Members, describe, exemplars, names
from indexer.families.fold import Base, State
from indexer.families.layout import layout
from indexer.families.naming import code_name, distinctive


def turned(*degrees: float) -> np.ndarray:
    """Unit vectors in the plane."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_two_families_by_hand() -> None:
    members = {
        "f1": Members(["a", "b"], np.array([0, 1]), [1, 0.5], ["x", None], [1, 0.7], ["2", "1"]),
        "f2": Members(["c"], np.array([2]), [1], [None], [None], [None]),
    }
    named = {"f1": ("x", "label"), "f2": ("Bolime-47", "code")}
    first, second = describe(members, turned(0, 60, 90), named, {"f1": 0.8})
    assert (first.id, first.name, first.name_from) == ("f1", "x", "label")
    assert (first.size, first.labelled, first.purity) == (2, 1, 1.0)
    assert first.cohesion == pytest.approx(0.5, abs=1e-6)  # cos 60 degrees
    assert first.fake_share == pytest.approx(0.85)
    assert (first.first_seen, first.last_seen, first.stability) == ("1", "2", 0.8)
    assert first.nearest == (("f2", pytest.approx(0.5, abs=1e-6)),)
    assert (second.cohesion, second.fake_share, second.purity) == (None, None, None)
    assert (second.first_seen, second.stability, second.exemplars) == (None, None, ("c",))


def test_a_name_is_an_analysts_then_a_label_then_a_term_then_a_code() -> None:
    family = {"a": "f1", "b": "f2", "c": "f3", "d": "f4", "e": "f5"}
    base = Base(family, {"f1": "x", "f3": "y"}, {"f1": "t", "f4": "tool: glow"})
    state = State(family, name={"f1": "Case 7"}, word={"b": "z"})
    assert names(state, base) == {
        "f1": ("Case 7", "analyst"),
        "f2": ("z", "label"),
        "f3": ("y", "label"),
        "f4": ("tool: glow", "metadata"),
        "f5": (code_name("f5"), "code"),
    }


def test_no_two_families_are_called_the_same() -> None:
    family = {"a": "f1", "b": "f1", "c": "f2"}
    found = names(State(family), Base(family, {"f1": "x", "f2": "x"}))
    assert found == {"f1": ("x", "label"), "f2": (code_name("f2"), "code")}


def test_the_term_that_sets_members_apart() -> None:
    glow = [{"format: png", "tool: glow"}] * 10
    everywhere = {"format: png": 40, "tool: glow": 10}
    assert distinctive(glow, everywhere, 40) == "tool: glow"
    assert distinctive([{"format: png"}] * 10, everywhere, 40) is None


def test_exemplars_start_at_the_medoid_and_spread() -> None:
    assert exemplars(turned(0, 10, 20, 50, 90), 5) == [2, 4, 3, 0, 1]
    assert exemplars(turned(0), 3) == [0]


def test_outliers_are_no_exemplars() -> None:
    assert set(exemplars(turned(0, 5, 10, 15, 120, 140, 160, 180), 3)) <= {0, 1, 2, 3}


def test_code_names_differ_and_can_be_said() -> None:
    found = [code_name(f"f{n}") for n in range(500)]
    assert len(set(found)) > 495
    assert all(len(name) == 9 and name[1] in "aeiou" for name in found)


@pytest.mark.parametrize("count", [0, 1, 2, 15])
def test_a_map_of_few(count) -> None:
    vectors = turned(*np.linspace(0, 90, count))
    places = layout(vectors)
    assert places.shape == (count, 2)
    assert places.dtype == np.float32
    if count > 1:
        assert np.linalg.norm(places, axis=1).max() == pytest.approx(1)
    if count == 15:  # an arc keeps its order along the first axis
        assert len(set(np.sign(np.diff(places[:, 0])))) == 1


def test_a_map_keeps_neighbours_and_is_the_same_every_time(monkeypatch) -> None:
    rng = np.random.default_rng(0)
    vectors = np.repeat(rng.standard_normal((5, 16)), 24, axis=0)
    vectors += 0.3 * rng.standard_normal(vectors.shape)
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    whole = layout(vectors)
    assert trustworthiness(vectors, whole, n_neighbors=5) > 0.9
    monkeypatch.setattr("indexer.families.layout.LANDMARKS", 60)
    places = layout(vectors)
    assert places.tobytes() == layout(vectors).tobytes()
    assert trustworthiness(vectors, places, n_neighbors=5) > 0.8
