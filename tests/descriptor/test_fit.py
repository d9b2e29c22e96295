"""What fitting learns: closed forms, planted families under a nuisance, the kinds and reasons."""

import numpy as np
import pytest

from indexer.descriptor import fit_projection
from indexer.descriptor.classes import NO_CLASS, partitions


def unlabelled(values, **options):
    nothing = [None] * len(values)
    return fit_projection(values, nothing, nothing, nothing, **options)


def planted(seed, per_group=60, families=4, sources=3):
    """Taps (n, 2, 30): a weak mark of the family under a strong mark of the source, in noise."""
    rng = np.random.default_rng(7)
    marks, nuisance = 0.7 * rng.normal(size=(families, 60)), 4 * rng.normal(size=(sources, 60))
    rng = np.random.default_rng(seed)
    family, source = (grid.ravel() for grid in np.mgrid[:families, :sources])
    family, source = np.repeat(family, per_group), np.repeat(source, per_group)
    values = marks[family] + nuisance[source] + rng.normal(size=(len(family), 60))
    return values.reshape(-1, 2, 30).astype(np.float32), family, source


def precision_at_1(projection, gallery, queries, gallery_family, query_family):
    similarity = projection.apply(queries) @ projection.apply(gallery).T
    return float((gallery_family[similarity.argmax(axis=1)] == query_family).mean())


def test_whitening_equals_its_closed_form():
    rng = np.random.default_rng(0)
    values = (rng.normal(size=(400, 6)) @ rng.normal(size=(6, 6)) + 3).astype(np.float32)
    projection = unlabelled(values.reshape(-1, 2, 3), dim=6)
    standard = (values - values.mean(axis=0)) / values.std(axis=0)
    # The cosine in whitened axes is the Mahalanobis inner product, whatever the axes' signs.
    product = standard @ np.linalg.inv(np.cov(standard.T)) @ standard.T
    length = np.sqrt(np.diag(product))
    descriptors = projection.apply(values.reshape(-1, 2, 3))
    np.testing.assert_allclose(
        descriptors @ descriptors.T, product / np.outer(length, length), atol=1e-4
    )


def test_whitening_ignores_shift_and_scale_of_a_tap():
    values = np.random.default_rng(1).normal(size=(300, 2, 5)).astype(np.float32)
    moved = values * np.array([[[3.0], [0.5]]], np.float32) + 7
    first, second = unlabelled(values, dim=8).apply(values), unlabelled(moved, dim=8).apply(moved)
    np.testing.assert_allclose(first @ first.T, second @ second.T, atol=1e-3)


def test_discriminants_find_the_family_under_the_nuisance_of_the_source():
    gallery, family, source = planted(seed=1)
    queries, query_family, query_source = planted(seed=2, per_group=20)
    names, places = [f"f{k}" for k in family], [f"s{k}" for k in source]
    learned = fit_projection(gallery, names, ["fake"] * len(names), places, dim=32)
    blind = unlabelled(gallery, dim=32)
    assert learned.kind == "discriminant"
    other = source != 0
    asked = query_source == 0
    cross = (gallery[other], queries[asked], family[other], query_family[asked])
    assert precision_at_1(blind, *cross) < 0.8
    assert precision_at_1(learned, *cross) > 0.95


def test_a_family_without_a_label_stays_findable():
    gallery, family, source = planted(seed=1)
    queries, query_family, _ = planted(seed=2, per_group=20)
    names = [None if k == 3 else f"f{k}" for k in family]
    projection = fit_projection(
        gallery, names, ["fake"] * len(names), [f"s{k}" for k in source], dim=48
    )
    hidden = queries[query_family == 3]
    assert projection.fitted_on.labelled == int((family != 3).sum())
    assert precision_at_1(projection, gallery, hidden, family, np.full(len(hidden), 3)) > 0.85


def test_the_same_gallery_gives_the_same_bytes():
    gallery, family, source = planted(seed=1)
    names, places = [f"f{k}" for k in family], [f"s{k}" for k in source]
    first, second = (
        fit_projection(gallery, names, ["fake"] * len(names), places, dim=32) for _ in range(2)
    )
    assert first.matrix.tobytes() == second.matrix.tobytes()
    assert first.fitted_on == second.fitted_on


def test_blocks_cover_the_axes_and_their_shares_are_the_squared_length():
    gallery, family, source = planted(seed=1)
    labels = ["real" if k == 0 else "fake" for k in family]
    names = [f"f{k}" if k else None for k in family]
    projection = fit_projection(gallery, names, labels, [f"s{k}" for k in source], dim=32)
    descriptors = projection.apply(gallery)
    assert [(b.name, b.width, b.share) for b in projection.blocks] == [
        ("one-real", 3, 0.2),
        ("real-by-source", 5, 0.4),
        ("within-whitening", 24, 0.4),
    ]
    for start, stop, share in ((0, 3, 0.2), (3, 8, 0.4), (8, 32, 0.4)):
        length = np.square(descriptors[:, start:stop]).sum(axis=1)
        np.testing.assert_allclose(length, share, atol=1e-6)


@pytest.mark.parametrize(
    ("images", "classes", "kind", "reason"),
    [
        (0, 1, "random", "0 images: whitening needs 64"),
        (63, 4, "random", "63 images: whitening needs 64"),
        (200, 2, "whitening", "200 labelled images in 2 classes"),
        (200, 50, "whitening", "0 labelled images in 0 classes"),
        (200, 4, "discriminant", "discriminants of 4 classes"),
    ],
)
def test_the_kind_follows_from_the_gallery_and_says_why(images, classes, kind, reason):
    values = np.random.default_rng(0).normal(size=(images, 3, 8)).astype(np.float16)
    families = [f"f{k % classes}" for k in range(images)]
    projection = fit_projection(values, families, ["fake"] * images, [None] * images, dim=16)
    assert projection.kind == kind
    assert projection.fitted_on.note.startswith(reason)
    assert projection.fitted_on.images == images


def test_partitions_keep_reals_by_source_and_as_one():
    families = ["a"] * 5 + ["b"] * 4 + [None] * 12 + ["a"]
    labels = ["fake"] * 9 + ["real"] * 11 + [None] * 2
    sources = ["x"] * 9 + ["x"] * 6 + ["y"] * 5 + ["x"] * 2
    by_source, merged = partitions(families, labels, sources)
    assert by_source.tolist() == [0] * 5 + [NO_CLASS] * 4 + [1] * 6 + [2] * 5 + [NO_CLASS, 0]
    assert merged.tolist() == [0] * 5 + [NO_CLASS] * 4 + [1] * 11 + [NO_CLASS, 0]


def test_a_large_class_is_thinned_evenly():
    by_source, merged = partitions(["a"] * 1500 + ["b"] * 6, ["fake"] * 1506, [None] * 1506)
    assert np.bincount(by_source[by_source != NO_CLASS]).tolist() == [500, 6]
    assert np.diff(np.flatnonzero(by_source == 0)).max() <= 4
    assert merged.tolist() == by_source.tolist()
