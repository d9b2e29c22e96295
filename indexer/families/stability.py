"""Would the family be found again, had other images come in?"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from indexer.families.discover import NOISE, Clustering, discover
from indexer.families.neighbours import Graph

ROUNDS: Final = 10
SHARE: Final = 0.8
"""Part of the images that each round keeps."""


def stability(
    graph: Graph,
    clustering: Clustering,
    labelled: Sequence[str | None] | None = None,
    *,
    rounds: int = ROUNDS,
    seed: int = 0,
) -> NDArray[Any]:
    """(m,) in [0, 1]: how much of each family comes back when a fifth of the images is left out.

    The mean over rounds of the best Jaccard overlap with a family that is found in the
    subsample without any anchor (Hennig, 2007; he calls 0.75 and more stable). Subsamples
    keep the graph's edges, so no neighbour is searched again.
    """
    rng = np.random.default_rng(seed)
    count, total, seen = clustering.count, np.zeros(clustering.count), np.zeros(clustering.count)
    for _ in range(rounds):
        kept = np.sort(rng.permutation(len(clustering.family))[: round(SHARE * graph.shape[0])])
        names = [labelled[row] for row in kept] if labelled is not None else None
        again = discover(graph[kept][:, kept], names)
        overlap = np.zeros((count + 1, again.count + 1))
        np.add.at(overlap, (clustering.family[kept], again.family), 1)  # NOISE is the last
        sizes, sizes_again = overlap.sum(axis=1), overlap.sum(axis=0)
        shared = overlap[:NOISE, :NOISE]
        either = sizes[:NOISE, None] + sizes_again[None, :NOISE] - shared
        jaccard = np.divide(shared, either, out=np.zeros_like(shared), where=either > 0)
        present = sizes[:NOISE] > 0
        total[present] += jaccard[present].max(axis=1, initial=0)
        seen += present
    return np.divide(total, seen, out=np.zeros(count), where=seen > 0)
