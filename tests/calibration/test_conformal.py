import numpy as np
import pytest
from planted import held_out, planted

from indexer.calibration import Annotations, Missing
from indexer.calibration.comparisons import affinities, compare
from indexer.calibration.conformal import Typicalities, fit_conformal, typicality


def test_p_values_by_hand():
    scale = Typicalities("f", (0.1, 0.2, 0.2, 0.4))
    found = [scale.p_value(t) for t in (0.0, 0.1, 0.2, 0.3, 0.9)]
    assert found == pytest.approx([1 / 5, 2 / 5, 4 / 5, 4 / 5, 5 / 5])


def test_typicality_adds_the_lead_over_the_best_other_group():
    found = typicality(np.array([[0.5, 0.3, 0.1], [0.4, 0.4, 0.0]], np.float32))
    assert found == pytest.approx(np.array([[0.7, 0.1, -0.3], [0.4, 0.4, -0.4]]))


def calibrated(gallery):
    annotations = Annotations.of(gallery.labels, gallery.families, gallery.sources)
    return annotations, fit_conformal(annotations, compare(held_out(gallery), annotations, 0))


def test_a_true_family_is_excluded_as_often_as_the_risk_says():
    """Exchangeable queries: the share of p-values at most `risk` is `risk`, within 4 standard
    errors of calibration and query sample."""
    both = planted(5, members=200, reals=400)
    rows = np.random.default_rng(5).permutation(len(both.labels))
    gallery, queries = both.split(rows[: len(rows) // 2]), both.split(rows[len(rows) // 2 :])
    annotations, conformal = calibrated(gallery)
    seen = affinities(queries.descriptors @ gallery.descriptors.T, annotations.group, 9)
    p_fake = np.array(
        [
            conformal.p_values(annotations.families, a)[name]
            for a, name in zip(seen, queries.families, strict=True)
            if name
        ]
    )
    p_real = np.array(
        [
            conformal.p_real(a)
            for a, name in zip(seen, queries.families, strict=True)
            if name is None
        ]
    )
    for p in (p_fake, p_real):
        for risk in (0.05, 0.1, 0.2, 0.5):
            error = np.sqrt(2 * risk * (1 - risk) / len(p))
            assert (p <= risk).mean() == pytest.approx(risk, abs=4 * error)


def test_a_small_family_borrows_the_pooled_scale():
    gallery = planted(6, members=40)
    kept = [k for k, name in enumerate(gallery.families) if name != "f0" or k < 6]
    annotations, conformal = calibrated(gallery.split(np.array(kept)))
    assert [scale.name for scale in conformal.families] == [f"f{k}" for k in range(1, 8)]
    affinity = np.full(9, 0.1, np.float32)
    affinity[0] = 0.8
    p = conformal.p_values(annotations.families, affinity)["f0"]
    assert p == conformal.pooled.p_value(float(np.float32(1.5)))


def test_a_family_without_a_member_in_the_gallery_has_no_p_value():
    annotations, conformal = calibrated(planted(7))
    affinity = np.full(9, 0.1, np.float32)
    affinity[3] = -1
    assert set(conformal.p_values(annotations.families, affinity)) == {
        f"f{k}" for k in range(8) if k != 3
    }


def test_too_few_fakes():
    assert calibrated(planted(8, families=1, members=6))[1] == Missing(
        "needs at least 20 fakes of families with 2 or more images; found 6"
    )
