"""A map of the gallery: one point in the plane per image, near where it looks alike."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from indexer.types import Float32

LANDMARKS: Final = 2000
"""Images that t-SNE places; the others go between their nearest landmarks."""
FEWEST: Final = 16
"""Fewer images are placed by PCA."""
PERPLEXITY: Final = 30.0
NEAREST: Final = 5
ROWS: Final = 1024


def layout(descriptors: Float32, *, seed: int = 0) -> Float32:
    """Coordinates (n, 2) float32, centred, the farthest point at distance 1.

    t-SNE (van der Maaten, 2014) started from PCA. The same descriptors and seed give the
    same map.
    """
    count = len(descriptors)
    if count < FEWEST:
        places = np.zeros((count, 2))
        if count > 1:
            axes = PCA(min(2, count, descriptors.shape[1]), svd_solver="full")
            found = axes.fit_transform(descriptors)
            places[:, : found.shape[1]] = found
    else:
        rng = np.random.default_rng(seed)
        chosen = np.sort(rng.choice(count, min(count, LANDMARKS), replace=False))
        tsne = TSNE(
            perplexity=min(PERPLEXITY, (len(chosen) - 1) / 3),
            init="pca",
            random_state=seed,
            n_jobs=1,
        )
        with threadpool_limits(1):  # more threads would change the order of sums
            placed = tsne.fit_transform(descriptors[chosen])
        places = _between(descriptors, descriptors[chosen], placed)
        places[chosen] = placed
    places -= places.mean(axis=0) if count else 0
    reach = np.sqrt((places**2).sum(axis=1)).max(initial=0)
    return (places / (reach or 1)).astype(np.float32)


def _between(descriptors: Float32, landmarks: Float32, placed: NDArray[Any]) -> NDArray[Any]:
    """Each row at the mean of its NEAREST landmarks, weighted by how far they beat the next."""
    places = np.empty((len(descriptors), 2))
    for start in range(0, len(descriptors), ROWS):
        similarity = descriptors[start : start + ROWS] @ landmarks.T
        order = np.argsort(-similarity, axis=1, kind="stable")[:, : NEAREST + 1]
        best = np.take_along_axis(similarity, order, axis=1)
        weight = best[:, :NEAREST] - best[:, NEAREST:] + 1e-6
        weight /= weight.sum(axis=1, keepdims=True)
        places[start : start + ROWS] = (weight[..., None] * placed[order[:, :NEAREST]]).sum(axis=1)
    return places
