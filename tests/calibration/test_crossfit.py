import numpy as np
from planted import held_out, planted

from indexer.calibration import cross_fit
from indexer.calibration.annotations import Annotations
from indexer.calibration.comparisons import NEIGHBOURS, SILENT, affinities, compare


def test_every_row_is_held_out_once_and_never_fitted_on_then():
    fitted = []

    def describe(rows):
        fitted.append(rows)
        return np.zeros((20, 3), np.float32)

    folds = list(cross_fit(describe, [k % 4 for k in range(20)], folds=5, seed=1))
    assert sorted(np.concatenate([f.rows for f in folds]).tolist()) == list(range(20))
    for fold, rows in zip(folds, fitted, strict=True):
        assert np.flatnonzero(~rows).tolist() == fold.rows.tolist()
        assert sorted(k % 4 for k in fold.rows) == [0, 1, 2, 3]


def test_groups_stay_together():
    groups = [k // 3 for k in range(30)]
    for fold in cross_fit(lambda rows: np.zeros((30, 2), np.float32), [0] * 30, groups=groups):
        held = {groups[row] for row in fold.rows}
        assert sum(g in held for g in groups) == len(fold.rows) == 6


def test_fewer_images_than_folds_and_a_single_one():
    describe = lambda rows: np.zeros((len(rows), 2), np.float32)  # noqa: E731
    assert len(list(cross_fit(describe, ["a", "b"]))) == 2
    assert list(cross_fit(describe, ["a"])) == []


def test_pairs_and_affinities_are_those_of_held_out_rows_with_the_rest():
    gallery = planted(0, families=3, members=6, reals=8)
    annotations = Annotations.of(gallery.labels, gallery.families, gallery.sources)
    found = compare(held_out(gallery), annotations, seed=0)
    whole = gallery.descriptors @ gallery.descriptors.T
    assert np.allclose(found.similarity, whole[found.i, found.j], atol=1e-6)
    assert sorted(found.probes.tolist()) == list(range(26))
    for row, affinity in zip(found.probes, found.affinity, strict=True):
        partners = found.j[found.i == row]
        assert row not in partners
        for code in range(4):
            members = [whole[row, p] for p in partners if annotations.group[p] == code]
            assert np.isclose(affinity[code], np.mean(sorted(members)[-NEIGHBOURS:]), atol=1e-6)


def test_a_group_without_members_has_the_least_affinity():
    similarity = np.array([[0.5, 0.25, 1.0]], np.float32)
    assert affinities(similarity, np.array([0, 0, -1]), 2).tolist() == [[0.375, -1.0]]


def test_a_silent_image_counts_as_if_it_were_not_there():
    rng = np.random.default_rng(1)
    similarity, group = rng.uniform(-1, 1, (3, 40)).astype(np.float32), rng.integers(-1, 9, 40)
    quiet = rng.random(40) < 0.5
    silenced = np.where(quiet, np.float32(SILENT), similarity)
    without = affinities(similarity[:, ~quiet], group[~quiet], 9)
    assert np.array_equal(affinities(silenced, group, 9), without)
    assert (without > -1).any()
