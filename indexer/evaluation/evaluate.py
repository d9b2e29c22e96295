"""All figures of `indexer evaluate`, from descriptors and annotations."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from indexer.calibration.annotations import Annotations, relate
from indexer.calibration.calibration import Calibration
from indexer.calibration.comparisons import compare
from indexer.calibration.crossfit import HeldOut
from indexer.evaluation.curves import Curves, draw_curves
from indexer.evaluation.measured import Measured
from indexer.evaluation.novelty import LeftOut, Novelty, novelty_auroc
from indexer.evaluation.retrieval import PerQuery, look_up
from indexer.evaluation.shots import SHOTS, rank_1
from indexer.evaluation.trust import (
    CllrCheck,
    CoverageCheck,
    RateCheck,
    check_cllr,
    check_coverage,
    check_rates,
)
from indexer.types import Float32


@dataclass(frozen=True, slots=True)
class FamilyFigures:
    """Retrieval of the right family, over fakes whose family the gallery has."""

    p_at_1: Measured
    p_at_10: Measured
    map: Measured


@dataclass(frozen=True, slots=True)
class Baseline:
    """What another descriptor reaches on the same queries and gallery."""

    family: FamilyFigures
    cross_source: Measured
    knn_auc: Measured


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Every figure, its interval and the number of queries it rests on.

    `knn_auc` ranks the queries by the weight of fakes among their ten nearest; `shots` is
    Rank-1 with so many examples of each family; `cllr` is None without a likelihood ratio.
    """

    queries: Mapping[str, int]
    gallery: Mapping[str, int]
    family: FamilyFigures
    by_family: Mapping[str, FamilyFigures]
    cross_source: Measured
    knn_auc: Measured
    knn_auc_by_matched_set: Mapping[str, Measured]
    shots: Mapping[str, Measured]
    baselines: Mapping[str, Baseline]
    fmr: Mapping[str, RateCheck]
    cllr: CllrCheck | None
    novelty_auroc: Mapping[str, Novelty]
    coverage: tuple[CoverageCheck, ...]
    curves: Curves

    def to_json(self) -> str:
        """The figures under the keys of `indexer evaluate --json`; the curves stay out."""
        family = {**_figures(self.family), "by_family": _each(self.by_family)}
        return json.dumps(
            {
                "queries": dict(self.queries),
                "gallery": dict(self.gallery),
                "family": family,
                "cross_source": _cross_source(self.cross_source),
                "knn_auc": self.knn_auc.value,
                "knn_auc_interval": _interval(self.knn_auc),
                "knn_auc_by_matched_set": {
                    name: asdict(auc) for name, auc in self.knn_auc_by_matched_set.items()
                },
                "shots": {name: asdict(rank) for name, rank in self.shots.items()},
                "baselines": {
                    name: {
                        "family": _figures(other.family),
                        "cross_source": _cross_source(other.cross_source),
                        "knn_auc": other.knn_auc.value,
                    }
                    for name, other in self.baselines.items()
                },
                "fmr": {r: {**asdict(c), "holds": c.holds} for r, c in self.fmr.items()},
                "cllr": asdict(self.cllr) if self.cllr else None,
                "novelty_auroc": {
                    "mean": self.mean_novelty_auroc,
                    "by_family": {
                        name: asdict(auc.familiarity) for name, auc in self.novelty_auroc.items()
                    },
                    "mean_by_nearest": _mean(auc.nearest for auc in self.novelty_auroc.values()),
                    "mean_gallery_only": _mean(
                        auc.gallery_only for auc in self.novelty_auroc.values()
                    ),
                },
                "coverage": [asdict(check) for check in self.coverage],
            },
            allow_nan=False,
            indent=2,
        )

    @property
    def mean_novelty_auroc(self) -> float | None:
        """The mean over left-out families."""
        return _mean(auc.familiarity for auc in self.novelty_auroc.values())


def evaluate(
    views: Iterable[HeldOut],
    annotations: Annotations,
    *,
    calibration: Calibration,
    scores: Float32 | None = None,
    matched_sets: Sequence[str | None] = (),
    baselines: Mapping[str, Iterable[HeldOut]] | None = None,
    novel: Iterable[tuple[str, LeftOut]] = (),
    seed: int = 0,
) -> Evaluation:
    """Query the rest of the images with the held-out rows of every view.

    With queries of their own, one view over gallery and queries together (`against`); on the
    index itself, the folds of `cross_fit`, so that no image is described by a projection
    fitted on it. `annotations`, `scores` (n,) p(fake) and `matched_sets` (n,) are of all rows
    of a view; `baselines` are views of other descriptors, `novel` those of
    `leave_families_out`. Deterministic for one seed.
    """
    nothing = HeldOut(np.empty(0, np.int64), np.zeros((len(annotations), 1), np.float32))
    seen = list(views) or [nothing]
    queries = PerQuery.join([look_up(view, annotations) for view in seen])
    found = compare(seen, annotations, seed)
    relations = relate(annotations, annotations, found.i, found.j)
    held = np.unique(np.concatenate([view.rows for view in seen]))
    others = np.unique(
        np.concatenate([np.setdiff1d(np.arange(len(annotations)), view.rows) for view in seen])
    )
    family = annotations.family[queries.row]
    sets = np.array([name or "" for name in matched_sets] or [""] * len(annotations))
    return Evaluation(
        queries=_count(annotations.take(held)),
        gallery=_count(annotations.take(others)),
        family=_family(queries, seed),
        by_family={
            annotations.families[code]: _family(queries.take(family == code), seed)
            for code in np.unique(family[family >= 0])
        },
        cross_source=Measured.mean(queries.cross_source_p_at_10, seed),
        knn_auc=_knn_auc(queries, annotations, seed),
        knn_auc_by_matched_set={
            str(name): _knn_auc(queries.take(sets[queries.row] == name), annotations, seed)
            for name in np.unique(sets[queries.row])
            if name
        },
        shots={
            str(n): Measured.mean(
                np.concatenate([rank_1(view, annotations, n, seed) for view in seen]), seed
            )
            for n in SHOTS
        },
        baselines={
            name: _baseline(other, annotations, seed) for name, other in (baselines or {}).items()
        },
        fmr=check_rates(calibration, annotations, found, relations),
        cllr=check_cllr(calibration, annotations, found, relations),
        novelty_auroc=novelty_auroc(novel, seen, annotations, seed),
        coverage=check_coverage(calibration, annotations, found),
        curves=draw_curves(queries, found, relations, annotations, calibration, scores),
    )


def against(gallery: Float32, queries: Float32) -> HeldOut:
    """The view of queries (m, dim) on a gallery (n, dim): rows 0..n-1 and n..n+m-1."""
    rows = np.arange(len(gallery), len(gallery) + len(queries))
    return HeldOut(rows, np.concatenate([gallery, queries]))


def _family(queries: PerQuery, seed: int) -> FamilyFigures:
    return FamilyFigures(
        p_at_1=Measured.mean(queries.p_at_1, seed),
        p_at_10=Measured.mean(queries.p_at_10, seed),
        map=Measured.mean(queries.average_precision, seed),
    )


def _knn_auc(queries: PerQuery, annotations: Annotations, seed: int) -> Measured:
    fake = annotations.fake[queries.row] == 1
    return Measured.auc(queries.fake_share[fake], queries.fake_share[~fake], seed)


def _baseline(views: Iterable[HeldOut], annotations: Annotations, seed: int) -> Baseline:
    queries = PerQuery.join([look_up(view, annotations) for view in views])
    return Baseline(
        family=_family(queries, seed),
        cross_source=Measured.mean(queries.cross_source_p_at_10, seed),
        knn_auc=_knn_auc(queries, annotations, seed),
    )


def _count(annotations: Annotations) -> dict[str, int]:
    return {
        "images": len(annotations),
        "fake": int((annotations.fake == 1).sum()),
        "real": int((annotations.fake == 0).sum()),
        "families": len(np.unique(annotations.family[annotations.family >= 0])),
    }


def _mean(figures: Iterable[Measured]) -> float | None:
    values = [figure.value for figure in figures if figure.value is not None]
    return float(np.mean(values)) if values else None


def _figures(family: FamilyFigures) -> dict[str, Any]:
    found = {"p_at_1": family.p_at_1, "p_at_10": family.p_at_10, "map": family.map}
    return {
        **{name: figure.value for name, figure in found.items()},
        "n": family.p_at_1.n,
        "intervals": {name: _interval(figure) for name, figure in found.items()},
    }


def _each(families: Mapping[str, FamilyFigures]) -> dict[str, Any]:
    return {name: _figures(figures) for name, figures in families.items()}


def _cross_source(measured: Measured) -> dict[str, Any]:
    return {"p_at_10": measured.value, "n": measured.n, "interval": _interval(measured)}


def _interval(measured: Measured) -> list[float | None]:
    return [measured.low, measured.high]
