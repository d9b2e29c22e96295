"""Could the query belong to this family? A p-value that keeps its promise.

Split conformal prediction (Vovk, Gammerman and Shafer 2005), Mondrian by family: a query that
does belong to a family gets a p-value of at most `risk` with a probability of at most `risk`,
whatever the descriptors are, as long as it is exchangeable with the family's labelled images.
"""

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.calibration.annotations import Annotations
from indexer.calibration.comparisons import Comparisons
from indexer.calibration.estimate import Missing
from indexer.types import Float32

MIN_MEMBERS = 20
"""With fewer, a p-value could never fall below 0.05; they share one scale."""
MIN_POOLED = 20
KEPT = 1_000
"""Typicalities kept per family: p-values finer than 0.001 decide nothing."""
REAL = "real images"


@dataclass(frozen=True, slots=True)
class Typicalities:
    """How typical held-out members were of their own `name`d family, ascending."""

    name: str
    values: tuple[float, ...]

    def p_value(self, typicality: float) -> float:
        """Share of members at most this typical, the query counted in; in (0, 1].

        Ties count as less typical and nothing is drawn at random, so that the same query has
        the same answer; this can only make the p-value larger.
        """
        return (1 + bisect_right(self.values, typicality)) / (1 + len(self.values))


@dataclass(frozen=True, slots=True)
class FamilyConformal:
    """`families` with a scale of their own, `pooled` for all others, `real` for real images."""

    families: tuple[Typicalities, ...]
    pooled: Typicalities
    real: Typicalities | None

    def p_values(self, names: tuple[str, ...], affinity: Float32) -> dict[str, float]:
        """Family -> p-value of one query from its `affinity` (families + 1,), the last to the
        reals. Families that the gallery has no member of are left out."""
        own = {scale.name: scale for scale in self.families}
        alike, typical = affinity.tolist(), typicality(affinity[None])[0].tolist()
        return {
            name: own.get(name, self.pooled).p_value(typical[code])
            for code, name in enumerate(names)
            if alike[code] > -1
        }

    def p_real(self, affinity: Float32) -> float | None:
        """The p-value that the query is one of the reals; None without enough of them."""
        if self.real is None:
            return None
        return self.real.p_value(float(typicality(affinity[None])[0, -1]))


def typicality(affinity: Float32) -> NDArray[np.float32]:
    """(m, groups) affinity plus its lead over the best other group.

    Affinity alone admits every family of a dense region; the lead alone admits queries that
    are far from everything.
    """
    top = np.sort(affinity, axis=1)[:, -2:]
    best_other = np.where(affinity == top[:, -1:], top[:, :1], top[:, -1:])
    return 2 * affinity - best_other


def fit_conformal(annotations: Annotations, comparisons: Comparisons) -> FamilyConformal | Missing:
    """Collect every held-out image's typicality of its own family."""
    group = annotations.group[comparisons.probes]
    known = group >= 0
    rows, own = np.flatnonzero(known), group[known]
    with_members = comparisons.affinity[rows, own] > -1
    rows, own = rows[with_members], own[with_members]
    real = own == len(annotations.families)
    if (found := int((~real).sum())) < MIN_POOLED:
        return Missing(
            f"needs at least {MIN_POOLED} fakes of families with 2 or more images; found {found}"
        )
    values = typicality(comparisons.affinity)[rows, own]
    scales = [
        as_scale(name, values[own == code])
        for code, name in enumerate(annotations.families)
        if (own == code).sum() >= MIN_MEMBERS
    ]
    return FamilyConformal(
        families=tuple(scales),
        pooled=as_scale("all families", values[~real]),
        real=as_scale(REAL, values[real]) if real.sum() >= MIN_MEMBERS else None,
    )


def as_scale(name: str, values: NDArray[np.floating]) -> Typicalities:
    """Ascending; more than KEPT are thinned to evenly spaced ranks."""
    ranked = np.sort(values)
    if len(ranked) > KEPT:
        ranked = ranked[np.linspace(0, len(ranked) - 1, KEPT).round().astype(int)]
    return Typicalities(name, tuple(ranked.astype(float).tolist()))
