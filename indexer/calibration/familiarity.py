"""Is the query of any family that the gallery knows, or of one that nobody has seen?

A mean similarity to the nearest fakes takes a member of a loose family for a stranger and a
stranger beside a tight family for a member. So a family's affinity counts from what is usual
for its own members.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.calibration.annotations import Annotations
from indexer.calibration.comparisons import Comparisons
from indexer.calibration.conformal import MIN_POOLED, Typicalities, as_scale
from indexer.calibration.estimate import Missing
from indexer.types import Float32

Float64 = NDArray[np.float64]
BORROWED = 20
"""A family's usual affinity is a mean with so many members of all families added, because few
members say little; chosen by leaving families out (docs/descriptor.md)."""


@dataclass(frozen=True, slots=True)
class Familiarity:
    """`usual` (families,) affinity of held-out members of each of the `names` to their own
    family; `members` how familiar held-out fakes were."""

    names: tuple[str, ...]
    usual: tuple[float, ...]
    members: Typicalities

    def p_known(self, names: Sequence[str], affinity: Float32) -> float:
        """The p-value that a query is of any known family, from its `affinity` (families + 1,)
        to the named families and the reals. A family that was not fitted has the mean usual
        affinity of those that were."""
        fitted = dict(zip(self.names, self.usual, strict=True))
        mean = float(np.mean(self.usual))
        usual = np.array([fitted.get(name, mean) for name in names])
        return self.members.p_value(float(familiarity(affinity[None], usual)[0]))


def usual_affinity(annotations: Annotations, comparisons: Comparisons) -> Float64:
    """(families,) mean affinity of held-out members to their own family, few members being
    drawn to the mean of all; NaN when there is none at all."""
    family = annotations.family[comparisons.probes]
    rows = np.flatnonzero(family >= 0)
    own = comparisons.affinity[rows, family[rows]].astype(np.float64)
    family, own = family[rows][own > -1], own[own > -1]
    if not len(own):
        return np.full(len(annotations.families), np.nan)
    count = np.bincount(family, minlength=len(annotations.families))
    total = np.bincount(family, own, minlength=len(annotations.families))
    return np.asarray((total + BORROWED * own.mean()) / (count + BORROWED))


def familiarity(affinity: Float32, usual: Float64) -> Float64:
    """(m,) the most by which `affinity` (m, families + 1) exceeds what is `usual` (families,)
    for a family with members; the reals, last, are none."""
    above = np.where(affinity[:, :-1] > -1, affinity[:, :-1] - usual, -np.inf)
    return np.asarray(above.max(axis=1))


def fit_familiarity(annotations: Annotations, comparisons: Comparisons) -> Familiarity | Missing:
    """Collect how familiar every held-out fake of a family with other members was."""
    family = annotations.family[comparisons.probes]
    rows = np.flatnonzero(family >= 0)
    rows = rows[comparisons.affinity[rows, family[rows]] > -1]
    if len(rows) < MIN_POOLED:
        return Missing(
            f"needs at least {MIN_POOLED} fakes of families with 2 or more images; "
            f"found {len(rows)}"
        )
    usual = usual_affinity(annotations, comparisons)
    values = familiarity(comparisons.affinity[rows], usual)
    return Familiarity(
        annotations.families, tuple(usual.tolist()), as_scale("known families", values)
    )
