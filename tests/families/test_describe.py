"""Names, exemplars, cohesion, shares and the map, against values worked out by hand."""

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

from indexer.families.decisions import Memberships
from indexer.families.describe import Images, code_name, describe, exemplars
from indexer.families.layout import layout


def turned(*degrees: float) -> np.ndarray:
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def images(**changes) -> Images:
    facts = {
        "ids": ["a", "b", "c", "d"],
        "descriptors": turned(0, 60, 90, 180),
        "strength": np.array([0.5, 0.75, 0.25, 0.0], np.float32),
        "label": ["fake", None, None, "real"],
        "score": [0.1, 0.7, None, 0.2],
        "seen": ["2026-02-01", None, "2026-01-01", None],
        "terms": [["tool: x"], ["tool: x"], [], ["tool: x"]],
    }
    return Images(**{**facts, **changes})


def test_a_family_by_hand() -> None:
    memberships = Memberships(
        {"a": "f1", "b": "f1", "c": "f2", "d": "f2"}, {"c": "glow"}, certain=frozenset({"c"})
    )
    first, second = describe(images(), memberships, {"f1": 0.8})
    assert (first.id, first.name, first.name_from) == ("f1", code_name("f1"), "code")
    assert (first.members, first.strength) == (("b", "a"), (0.75, 0.5))
    assert first.cohesion == pytest.approx(0.5, abs=1e-6)  # cos 60 degrees
    assert first.fake_share == pytest.approx((1 + 0.7) / 2)  # a label beats its score
    assert (first.first_seen, first.last_seen) == ("2026-02-01", "2026-02-01")
    assert (first.purity, first.stability) == (None, 0.8)
    assert first.nearest == (("f2", pytest.approx(np.cos(np.radians(105)), abs=1e-6)),)
    assert (second.name, second.name_from, second.purity) == ("glow", "label", 1.0)
    assert (second.members, second.strength) == (("c", "d"), (1.0, 0.0))
    assert second.fake_share == 0.0
    assert second.first_seen == "2026-01-01"


def test_an_analysts_name_beats_the_label() -> None:
    memberships = Memberships({"a": "f1"}, {"a": "glow"}, {"f1": "Case 7"})
    (family,) = describe(images(), memberships)
    assert (family.name, family.name_from, family.cohesion) == ("Case 7", "analyst", 1.0)


def test_purity_is_the_share_of_the_most_frequent_label() -> None:
    memberships = Memberships(dict.fromkeys("abc", "f1"), {"a": "x", "b": "y", "c": "y"})
    (family,) = describe(images(), memberships)
    assert (family.name, family.purity) == ("y", pytest.approx(2 / 3))


def test_the_metadata_term_that_sets_a_family_apart_names_it() -> None:
    ids = [f"i{n:02}" for n in range(40)]
    facts = images(
        ids=ids,
        descriptors=np.tile(turned(0), (40, 1)),
        strength=np.ones(40, np.float32),
        label=[None] * 40,
        score=[None] * 40,
        seen=[None] * 40,
        terms=[["format: png", "tool: glow"] if n < 10 else ["format: png"] for n in range(40)],
    )
    memberships = Memberships({image: "f1" if n < 10 else "f2" for n, image in enumerate(ids)})
    bigger, smaller = describe(facts, memberships)
    assert (smaller.name, smaller.name_from, smaller.fake_share) == ("tool: glow", "metadata", None)
    assert (bigger.name, bigger.name_from) == (code_name("f2"), "code")


def test_exemplars_start_at_the_medoid_and_spread() -> None:
    assert exemplars(turned(0, 10, 20, 50, 90), 5) == [2, 4, 3, 0, 1]
    assert exemplars(turned(0), 3) == [0]


def test_outliers_are_no_exemplars() -> None:
    assert set(exemplars(turned(0, 5, 10, 15, 120, 140, 160, 180), 3)) <= {0, 1, 2, 3}


def test_code_names_differ_and_can_be_said() -> None:
    names = [code_name(f"f{n}") for n in range(500)]
    assert len(set(names)) > 495
    assert all(len(name) == 9 and name[1] in "aeiou" for name in names)


def test_no_images_no_families() -> None:
    assert describe(images(), Memberships({})) == []


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
