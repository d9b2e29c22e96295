import json
from dataclasses import replace

import numpy as np
import pytest
from planted import held_out, planted

from indexer.calibration import Annotations, HeldOut, fit_calibration
from indexer.evaluation import against, evaluate, leave_families_out

KEYS = {
    "queries", "gallery", "family", "cross_source", "knn_auc", "knn_auc_interval",
    "knn_auc_by_matched_set", "shots", "baselines", "fmr", "cllr", "novelty_auroc", "coverage",
}  # fmt: skip


def annotated(gallery) -> Annotations:
    return Annotations.of(gallery.labels, gallery.families, gallery.sources)


def calibrated(gallery):
    return fit_calibration(
        held_out(gallery), gallery.labels, gallery.families, gallery.sources, gallery.scores
    )


def evaluated(seed: int = 0, *, meaning: bool = True):
    """Gallery and queries of one planted world; without `meaning`, of shuffled descriptors."""
    both = planted(seed, members=60, reals=240)
    if not meaning:
        shuffled = np.random.default_rng(seed).permutation(both.descriptors)
        both = replace(both, descriptors=shuffled)
    rows = np.random.default_rng(seed + 1).permutation(len(both.labels))
    gallery = both.split(rows[: len(rows) // 2])
    both = both.split(rows)
    annotations, n = annotated(both), len(gallery.labels)
    return evaluate(
        [against(both.descriptors[:n], both.descriptors[n:])],
        annotations,
        calibration=calibrated(gallery),
        scores=both.scores,
        matched_sets=["set" if k % 2 else None for k in range(len(rows))],
        baselines={"noise": [against(*np.split(noise(len(rows)), 2))]},
        novel=leave_families_out(
            lambda rows: both.descriptors, annotations, np.arange(n, len(rows))
        ),
    )


def noise(n: int) -> np.ndarray:
    x = np.random.default_rng(9).standard_normal((n, 8)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_a_planted_world_is_found_and_its_figures_hold():
    found = evaluated()
    assert found.queries["images"] == found.gallery["images"] == 360
    assert found.family.p_at_1.value > 0.9
    assert found.family.map.value > 0.8
    assert found.baselines["noise"].family.map.value < 0.15
    assert found.knn_auc.value > 0.95
    assert found.knn_auc_by_matched_set["set"].n == pytest.approx(180, abs=20)
    assert found.shots["1"].value < found.shots["5"].value <= found.shots["10"].value
    assert all(check.holds for check in found.fmr.values())
    assert found.cllr.min <= found.cllr.all < 0.4
    assert max(found.cllr.by_family.values()) < 1
    assert found.mean_novelty_auroc > 0.9
    assert min(auc.gallery_only.value for auc in found.novelty_auroc.values()) > 0.8
    for check in found.coverage:
        for covered, n in ((check.fake, check.n_fake), (check.real, check.n_real)):
            error = np.sqrt(2 * check.nominal * (1 - check.nominal) / n)
            assert covered == pytest.approx(check.nominal, abs=3 * error)
    confusion = np.array(found.curves.confusion)
    assert confusion.sum() == 360
    assert np.trace(confusion) / 360 > 0.9


def test_descriptors_that_mean_nothing_are_seen_to_mean_nothing():
    found = evaluated(meaning=False)
    assert found.family.map.value < 0.15
    assert found.knn_auc.value == pytest.approx(0.5, abs=0.08)
    assert found.cllr.all == pytest.approx(1, abs=0.03)
    assert found.mean_novelty_auroc == pytest.approx(0.5, abs=0.1)
    assert json.loads(found.to_json())["novelty_auroc"]["mean_gallery_only"] == pytest.approx(
        0.5, abs=0.1
    )
    assert all(check.holds for check in found.fmr.values())


def test_json_has_its_keys_and_is_the_same_again():
    found = evaluated(1)
    text = found.to_json()
    fields = json.loads(text)
    assert set(fields) == KEYS
    assert {"p_at_1", "p_at_10", "map", "n"} <= set(fields["family"])
    assert {"p_at_10", "n"} <= set(fields["cross_source"])
    assert {"all", "cross_source", "min"} <= set(fields["cllr"])
    assert fields["fmr"]["0.01"]["holds"] is True
    assert evaluated(1).to_json() == text


def test_leaving_one_out_asks_every_image_once_and_never_of_its_own_fold():
    gallery = planted(2)
    found = evaluate(held_out(gallery), annotated(gallery), calibration=calibrated(gallery))
    assert found.queries == found.gallery
    assert found.queries == {"images": 440, "fake": 320, "real": 120, "families": 8}
    assert found.family.p_at_1.n == 320


def test_a_left_out_family_is_never_fitted_on_and_asks_with_all_its_images():
    gallery = planted(3, families=3, members=40)
    annotations, queries = annotated(gallery), np.array([0, 50, 120])
    fitted = {}

    def describe(rows):
        fitted[len(fitted)] = rows
        return gallery.descriptors

    views = dict(leave_families_out(describe, annotations, queries))
    assert list(views) == ["f0", "f1", "f2"]
    for code, left_out in enumerate(views.values()):
        held = set(np.flatnonzero(annotations.family == code)) | {0, 50, 120}
        first, *folds = (set(np.flatnonzero(~fitted[4 * code + fold])) for fold in range(4))
        assert set(left_out.view.rows) == held == first
        assert all(held < fold for fold in folds)


@pytest.mark.parametrize("name", ["no labels", "one family", "two images", "one image", "equal"])
def test_poor_galleries_give_nulls(name):
    gallery = planted(4)
    n = len(gallery.labels)
    gallery = {
        "no labels": lambda: replace(gallery, labels=[None] * n, families=[None] * n),
        "one family": lambda: gallery.split(np.arange(40)),
        "two images": lambda: gallery.split(np.array([0, n - 1])),
        "one image": lambda: gallery.split(np.array([0])),
        "equal": lambda: replace(gallery, descriptors=gallery.descriptors[[0] * n]),
    }[name]()
    annotations = annotated(gallery)
    everything = HeldOut(np.arange(len(annotations)), gallery.descriptors)
    for views in (list(held_out(gallery)), [everything]):
        fields = json.loads(
            evaluate(
                views,
                annotations,
                calibration=calibrated(gallery),
                scores=gallery.scores,
                novel=leave_families_out(
                    lambda rows: gallery.descriptors, annotations, np.array([0])
                ),
            ).to_json()
        )
        assert set(fields) == KEYS
        if name in ("no labels", "two images", "one image"):
            assert fields["family"]["map"] is None
            assert fields["knn_auc"] is None
            assert (fields["cllr"], fields["fmr"], fields["coverage"]) == (None, {}, [])
