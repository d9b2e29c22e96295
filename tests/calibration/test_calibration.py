import json
from dataclasses import replace

import numpy as np
import pytest
from planted import held_out, planted

from indexer.calibration import Annotations, Calibration, Missing, OperatingPoint, fit_calibration
from indexer.calibration.verdict import Evidence, conclude
from indexer.errors import IndexDamaged, UsageError


def fitted(gallery, **more) -> Calibration:
    return fit_calibration(
        held_out(gallery), gallery.labels, gallery.families, gallery.sources, gallery.scores, **more
    )


def annotated(gallery) -> Annotations:
    return Annotations.of(gallery.labels, gallery.families, gallery.sources)


def test_json_round_trip_and_determinism():
    gallery = planted(0)
    calibration = fitted(gallery)
    assert Calibration.from_json(calibration.to_json()) == calibration
    assert fitted(gallery).to_json() == calibration.to_json()


def test_another_version_is_refused():
    fields = json.loads(fitted(planted(0)).to_json())
    with pytest.raises(IndexDamaged, match="calibration of version 7; expected 2"):
        Calibration.from_json(json.dumps({**fields, "version": 7}))


def test_the_false_match_rate_holds_on_query_pairs():
    both = planted(1, members=80, reals=240)
    rows = np.random.default_rng(1).permutation(len(both.labels))
    gallery, queries = both.split(rows[::2]), both.split(rows[1::2])
    similarity = queries.descriptors @ gallery.descriptors.T
    group_q = [
        name or source for name, source in zip(queries.families, queries.sources, strict=True)
    ]
    group_g = [
        name or source for name, source in zip(gallery.families, gallery.sources, strict=True)
    ]
    unrelated = similarity[np.array(group_q)[:, None] != np.array(group_g)]
    calibration = fitted(gallery)
    for rate in (1e-2, 1e-3):
        threshold = calibration.false_match.threshold(rate)
        stated = calibration.false_match_rate(threshold)
        assert stated.low <= (unrelated >= threshold).mean() <= stated.high


def test_verdicts_on_queries_of_a_planted_gallery():
    """Members, a left-out family, reals: the kinds that are due are the usual ones."""
    both = planted(2, members=80, reals=240, spread=0.1)
    rows = np.random.default_rng(2).permutation(len(both.labels))
    names = np.array([name or "real" for name in both.families])[rows]
    gallery = both.split(rows[::2][names[::2] != "f0"])
    calibration, annotations = fitted(gallery), annotated(gallery)
    kinds: dict[str, list[str]] = {"known": [], "f0": [], "real": []}
    right = []
    for row, name in zip(rows[1::2], names[1::2], strict=True):
        verdict = calibration.verdict(
            gallery.descriptors @ both.descriptors[row], annotations, float(both.scores[row])
        )
        kinds[name if name in kinds else "known"].append(verdict.kind)
        if verdict.kind == "known family":
            right.append(name in verdict.families)
    share = {
        truth: kinds[truth].count(kind) / len(kinds[truth])
        for truth, kind in [("known", "known family"), ("real", "looks authentic")]
    }
    assert share["known"] > 0.85
    assert share["real"] > 0.85
    assert "known family" not in kinds["f0"]
    assert kinds["f0"].count("novel fake") > kinds["f0"].count("inconclusive")
    assert np.mean(right) > 0.95


EVIDENCE = Evidence(
    p_values={"a": 0.5, "b": 0.01},
    affinity={"a": 0.8, "b": 0.3},
    p_known=0.5,
    p_real=0.01,
    nearest_is_real=False,
    alarm=True,
    probability_fake=0.97,
)


@pytest.mark.parametrize(
    ("change", "kind", "families", "reason"),
    [
        ({}, "known family", ("a",), "the score raises the alarm, and it is as typical as"),
        ({"alarm": None}, "known family", ("a",), "it is unlike the real images (p = 0.01)"),
        (
            {"p_known": 0.05},
            "novel fake",
            ("a",),
            "it is less alike any known family than members are (p = 0.05), though 1 cannot",
        ),
        ({"p_known": 0.05, "alarm": None}, "known family", ("a",), "it is unlike the real"),
        ({"p_known": None}, "known family", ("a",), "the score raises the alarm"),
        (
            {"p_values": {"a": 0.02, "b": 0.01}},
            "novel fake",
            (),
            "the score raises the alarm, and no known family explains the image at risk 0.05",
        ),
        (
            {"p_values": {"a": 0.02, "b": 0.01}, "alarm": None},
            "inconclusive",
            (),
            "no known family",
        ),
        (
            {"p_values": {"a": 0.02, "b": 0.01}, "alarm": False, "p_real": 0.6},
            "looks authentic",
            (),
            "the score raises no alarm, it resembles real images (p = 0.60) only",
        ),
        (
            {"alarm": False, "p_real": 0.6, "nearest_is_real": True},
            "looks authentic",
            ("a",),
            "though 1 of the known families cannot be excluded",
        ),
        ({"alarm": False, "p_real": 0.6}, "inconclusive", ("a",), "but so do real images"),
        ({"p_values": {}, "affinity": {}}, "inconclusive", (), "no family is calibrated"),
        (
            {"p_values": dict.fromkeys("abcd", 0.5), "affinity": dict.fromkeys("abcd", 0.1)},
            "inconclusive",
            ("a", "b", "c", "d"),
            "4 families fit, too many to name one; nearest a (p = 0.50), b (p = 0.50)",
        ),
    ],
)
def test_every_rule_of_the_verdict(change, kind, families, reason):
    verdict = conclude(replace(EVIDENCE, **change), 0.05)
    assert (verdict.kind, verdict.families) == (kind, families)
    assert reason in verdict.reason


def test_the_operator_sets_the_risk():
    lax, strict = conclude(EVIDENCE, 0.005), conclude(EVIDENCE, 0.6)
    assert (lax.kind, lax.families) == ("known family", ("a", "b"))
    assert strict.kind == "novel fake"
    gallery = planted(3)
    with pytest.raises(UsageError, match="risk 1; expected a probability between 0 and 1"):
        fitted(gallery).verdict(gallery.descriptors[:, 0], annotated(gallery), None, risk=1)


def poor(name: str):
    gallery = planted(4)
    n = len(gallery.labels)
    if name == "no labels":
        return replace(gallery, labels=[None] * n, families=[None] * n)
    if name == "one family":
        return gallery.split(np.arange(40))
    if name == "two images":
        return gallery.split(np.array([0, n - 1]))
    if name == "one image":
        return gallery.split(np.array([0]))
    if name == "no image":
        return gallery.split(np.array([], int))
    return replace(gallery, descriptors=np.repeat(gallery.descriptors[:1], n, axis=0))


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("no labels", {"false_match", "likelihood", "conformal"}),
        ("one family", {"false_match", "likelihood"}),
        ("two images", {"false_match", "likelihood", "conformal"}),
        ("one image", {"false_match", "likelihood", "conformal"}),
        ("no image", {"false_match", "likelihood", "conformal"}),
        ("all equal", set()),
    ],
)
def test_poor_galleries_answer_with_reasons(name, missing):
    gallery = poor(name)
    calibration = fitted(gallery)
    parts = {"false_match", "likelihood", "conformal"}
    assert {p for p in parts if isinstance(getattr(calibration, p), Missing)} == missing
    assert Calibration.from_json(calibration.to_json()) == calibration
    similarities = np.zeros(len(gallery.labels), np.float32)
    verdict = calibration.verdict(similarities, annotated(gallery), 0.5)
    assert verdict.reason
    if name == "all equal":
        assert calibration.likelihood_ratio(1.0) == pytest.approx(0, abs=1e-9)
    else:
        assert verdict.kind == "inconclusive"
        assert "needs at least" in calibration.likelihood_ratio(0.5).reason


def test_the_checkpoints_operating_point_serves_a_gallery_without_reals():
    gallery = planted(5, reals=0)
    calibration = fitted(gallery, operating_points=[OperatingPoint(0.05, 0.3, "its card")])
    assert (calibration.alarm(0.2), calibration.alarm(0.3), calibration.alarm(None)) == (
        False,
        True,
        None,
    )
    assert isinstance(calibration.probability_fake(0.5), Missing)
