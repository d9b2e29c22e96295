"""Descriptors of gallery images as a projection sees them that was not fitted on them.

A supervised projection pulls the images it was fitted on together by family, so similarities
within the gallery are better than a query will ever meet. Cross-fitting (out-of-fold
prediction) restores the query's view: every image is described once by a projection that has
not seen it and compared with images which that projection was fitted on.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from indexer.calibration.annotations import Bool
from indexer.types import Float32, Int64

Describe = Callable[[Bool], Float32]
"""Fit a projection on the True rows (n,) and describe all rows: (n, dim) float32 unit vectors."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """One fold: `descriptors` (n, dim) of the whole gallery by a projection that was fitted
    without `rows` (m,)."""

    rows: Int64
    descriptors: Float32


def cross_fit(
    describe: Describe,
    strata: Sequence[Hashable],
    *,
    groups: Sequence[Hashable] | None = None,
    folds: int = 5,
    seed: int = 0,
) -> Iterator[HeldOut]:
    """Yield `folds` folds, each row held out once; one fold in memory at a time.

    `strata` (n,) are spread evenly over the folds (the family of a fake, the source of a
    real); rows of one of the `groups` (n,), such as images made from one original, stay
    together. Descriptors that owe nothing to labels need no refit: pass a `describe` that
    returns them. Fewer than two groups yield nothing.
    """
    number = {key: code for code, key in enumerate(dict.fromkeys(strata))}
    stratum = np.array([number[key] for key in strata], int)
    members = groups if groups is not None else range(len(strata))
    index = {key: code for code, key in enumerate(dict.fromkeys(members))}
    group = np.array([index[key] for key in members], int)
    if len(index) < 2:
        return
    folds = min(folds, len(index))
    _, first = np.unique(group, return_index=True)
    shuffled = np.random.default_rng(seed).permutation(len(index))
    dealt = shuffled[np.argsort(stratum[first][shuffled], kind="stable")]
    fold = np.empty(len(index), int)
    fold[dealt] = np.arange(len(index)) % folds
    for number_of_fold in range(folds):
        held = fold[group] == number_of_fold
        yield HeldOut(rows=np.flatnonzero(held), descriptors=describe(~held))
