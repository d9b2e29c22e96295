"""Attribution from a few examples: Rank-1 with n gallery images of each family."""

import numpy as np
from numpy.typing import NDArray

from indexer.calibration.annotations import Annotations
from indexer.calibration.comparisons import similarities
from indexer.calibration.crossfit import HeldOut

SHOTS = (1, 5, 10)
DRAWS = 20


def rank_1(view: HeldOut, annotations: Annotations, shots: int, seed: int) -> NDArray[np.float64]:
    """(m,) for the held-out fakes whose family the gallery has `shots` images of: the share of
    draws in which the nearest example is of the right family.

    Each of `DRAWS` draws takes `shots` gallery images of every such family at random; reals
    are no candidates, as in few-shot attribution protocols.
    """
    gallery = np.setdiff1d(np.arange(len(annotations)), view.rows)
    family = annotations.family[gallery]
    sizes = np.bincount(family[family >= 0], minlength=len(annotations.families))
    able = np.flatnonzero(sizes >= shots)
    queries = view.rows[np.isin(annotations.family[view.rows], able)]
    rng = np.random.default_rng(seed)
    right = np.zeros(len(queries))
    for _ in range(DRAWS if len(queries) else 0):
        drawn = np.concatenate(
            [rng.choice(np.flatnonzero(family == code), shots, replace=False) for code in able]
        )
        found = similarities(view.descriptors[queries], view.descriptors[gallery[drawn]])
        right += family[drawn][found.argmax(axis=1)] == annotations.family[queries]
    return right / DRAWS
