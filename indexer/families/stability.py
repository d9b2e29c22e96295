"""Would the family be found again, had other images come in?"""

from typing import Final

import numpy as np

from indexer.families.communities import communities
from indexer.families.discover import NOBODY
from indexer.families.graph import Graph
from indexer.types import Float32, Int64

ROUNDS: Final = 10
SHARE: Final = 0.8
"""Part of the images that each round keeps."""


def stability(graph: Graph, family: Int64, *, rounds: int = ROUNDS, seed: int = 0) -> Float32:
    """(m,) in [0, 1]: how much of each family comes back when a fifth of the images is left out.

    The mean over rounds of the best Jaccard overlap with a community of the subsample, found
    without any label (Hennig, 2007; he calls 0.75 and more stable). Subsamples keep the
    graph's edges, so no neighbour is searched again.
    """
    rng = np.random.default_rng(seed)
    count = int(family.max(initial=NOBODY)) + 1
    total, seen = np.zeros(count), np.zeros(count)
    for _ in range(rounds):
        kept = np.sort(rng.permutation(len(family))[: round(SHARE * len(family))])
        again = communities(graph[kept][:, kept], np.arange(len(kept)))
        inside = family[kept] != NOBODY
        overlap = np.zeros((count, int(again.max(initial=NOBODY)) + 1))
        np.add.at(overlap, (family[kept][inside], again[inside]), 1)
        sizes = overlap.sum(axis=1)
        either = sizes[:, None] + np.bincount(again, minlength=overlap.shape[1]) - overlap
        best = (overlap / np.maximum(either, 1)).max(axis=1, initial=0)
        total += np.where(sizes > 0, best, 0)
        seen += sizes > 0
    return np.divide(total, seen, out=np.zeros(count), where=seen > 0).astype(np.float32)
