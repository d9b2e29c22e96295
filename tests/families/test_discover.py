"""Discovery on planted families: recovered, constrained, anchored, the same every time."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from benchmarks import families as benchmark
from indexer.families.discover import NOBODY as NOISE
from indexer.families.discover import discover
from indexer.families.graph import shared_neighbours
from indexer.families.identity import match
from indexer.families.margin import NEAR
from indexer.families.stability import stability
from indexer.vectors import Neighbours, nearest_others


def planted(
    families: int, size: int, loose: int, seed: int, spread: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors (families * size + loose, 64) and their truth, loose ones NOISE."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((families, 64))
    truth = np.r_[np.repeat(np.arange(families), size), np.full(loose, NOISE)]
    vectors = spread * rng.standard_normal((len(truth), 64))
    vectors[truth != NOISE] += centres[truth[truth != NOISE]]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), truth


@pytest.fixture(scope="module")
def gallery() -> tuple[np.ndarray, np.ndarray]:
    return planted(8, 40, 16, seed=1)


def nearest(vectors: np.ndarray, k: int = NEAR) -> Neighbours:
    return nearest_others(vectors, k)


def test_shared_neighbours_by_hand() -> None:
    # Three vectors close together and two elsewhere, two neighbours each.
    angles = np.array([0.0, 0.1, 0.2, 2.0, 2.1])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    graph = shared_neighbours(nearest(vectors, 2).rows).toarray()
    assert np.allclose(graph[:3, :3], 1 - np.eye(3))  # {0,1,2} against {0,1,2}
    assert graph[3, 4] == 1.0
    assert graph[2, 3] == 0  # 3 has 2 among its nearest, but not the other way round
    assert np.array_equal(graph, graph.T)


def test_planted_families_are_recovered_and_noise_stays_noise(gallery) -> None:
    vectors, truth = gallery
    found = discover(nearest(vectors))
    assert len(set(found.family) - {NOISE}) == 8
    assert adjusted_rand_score(truth, found.family) > 0.95
    assert (found.family[truth == NOISE] == NOISE).mean() > 0.8
    assert np.array_equal(found.strength > 0, found.family != NOISE)
    assert found.strength.max() <= 1


def test_equal_galleries_give_equal_bytes(gallery) -> None:
    one, two = (discover(nearest(gallery[0])) for _ in range(2))
    assert one.family.tobytes() == two.family.tobytes()
    assert one.strength.tobytes() == two.strength.tobytes()


def test_a_rebuild_of_the_same_gallery_changes_nothing() -> None:
    vectors, _ = planted(10, 40, 40, seed=5, spread=1.6)
    old = discover(nearest(vectors[:-20]))
    previous = [f"f{n}" for n in old.community] + [None] * 20
    first = discover(nearest(vectors), previous=previous)
    again = discover(nearest(vectors), previous=[f"g{n}" for n in first.community])
    assert again.community.tobytes() == first.community.tobytes()
    assert again.family.tobytes() == first.family.tobytes()
    assert again.strength.tobytes() == first.strength.tobytes()


def test_labels_are_constraints() -> None:
    vectors, truth = planted(4, 30, 0, seed=3)
    labels: list[str | None] = [None] * len(truth)
    labels[0] = labels[1] = "a"
    labels[2] = "b"  # planted in one family, labelled apart
    labels[30] = "a"  # planted in another, labelled the same
    found = discover(nearest(vectors), labels)
    a = found.family[0]
    assert found.family[1] == found.family[30] == a != NOISE
    assert found.family[2] not in (a, NOISE)
    assert np.array_equal(found.strength[[0, 1, 2, 30]], np.ones(4))


@pytest.mark.parametrize("seed", range(5))
def test_random_labels_always_hold(seed) -> None:
    vectors, truth = planted(4, 25, 10, seed=4)
    rng = np.random.default_rng(seed)
    labels = [rng.choice(["x", "y", "z"]) if rng.random() < 0.3 else None for _ in truth]
    previous = [f"f{rng.integers(5)}" if rng.random() < 0.5 else None for _ in truth]
    found = discover(nearest(vectors), labels, previous)
    homes = {
        name: {f for f, n in zip(found.family, labels, strict=True) if n == name} for name in "xyz"
    }
    assert all(len(home) == 1 and NOISE not in home for home in homes.values())
    assert len(set.union(*homes.values())) == 3


def test_one_percent_more_images_leave_families_the_same() -> None:
    vectors, _ = planted(10, 40, 40, seed=5, spread=1.3)
    kept = []
    for seed in range(10):
        new = np.random.default_rng(seed).choice(len(vectors), 4, replace=False)
        old = np.setdiff1d(np.arange(len(vectors)), new)
        first = discover(nearest(vectors[old]))
        community = dict(zip(map(str, old), (f"f{n}" for n in first.community), strict=True))
        second = discover(
            nearest(vectors), previous=[community.get(str(i)) for i in range(len(vectors))]
        )
        ids = match(community, {str(i): int(n) for i, n in enumerate(second.community)})
        members = [(i, f"f{n}") for i, n in zip(old, first.family, strict=True) if n != NOISE]
        now = second.family
        kept.append(np.mean([now[i] != NOISE and ids[now[i]] == family for i, family in members]))
    assert min(kept) >= 0.97


def test_a_family_that_fell_apart_is_divided_and_a_new_one_is_found(gallery) -> None:
    vectors, truth = gallery
    first = np.where(truth == 1, 0, truth)  # the last build had 0 and 1 as one, and no 7
    previous = [None if n in (NOISE, 7) else f"f{n}" for n in first]
    found = discover(nearest(vectors), previous=previous)
    assert len(set(found.family) - {NOISE}) == 8
    assert adjusted_rand_score(truth, found.family) > 0.95


@pytest.mark.parametrize("count", [0, 1, 3])
def test_few_images_are_noise(count) -> None:
    vectors, _ = planted(1, count, 0, seed=6)
    found = discover(nearest(vectors))
    assert np.array_equal(found.family, np.full(count, NOISE))
    assert np.array_equal(found.strength, np.zeros(count))


def test_planted_families_are_stable_and_arbitrary_ones_are_not(gallery) -> None:
    near = nearest(gallery[0])
    found, graph = discover(near), shared_neighbours(near.rows)
    firm = stability(graph, found.family, rounds=3)[np.unique(found.family[found.family >= 0])]
    assert firm.min() > 0.75
    shuffled = np.random.default_rng(0).permutation(found.family)
    assert stability(graph, shuffled, rounds=3).max() < 0.3


@pytest.mark.slow
def test_many_planted_families_are_recovered() -> None:
    vectors, truth = benchmark.planted(100_000)
    found = benchmark.kept(vectors)
    assert adjusted_rand_score(truth, found) > 0.9
    inside = truth != NOISE
    assert adjusted_rand_score(truth[inside], found[inside]) > 0.96
