"""Fit a projection to a gallery: whitening first, discriminants once labels allow.

docs/descriptor.md has the measurements behind the choices and constants.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.preprocessing import StandardScaler

from indexer.descriptor.classes import MIN_CLASSES, MIN_PER_CLASS, NO_CLASS, partitions
from indexer.descriptor.projection import BATCH, Block, Fitted, Projection
from indexer.types import Float32, Int64

MIN_IMAGES = 64
"""Fewer images (for whitening) or labelled images (for discriminants) are too few to learn from."""
IMAGES_PER_AXIS = 2
"""An axis whose variance is divided out rests on at least so many images."""
SPAN = 1024
"""Principal axes in which discriminants are sought."""
SAMPLE = 10_000
"""Mean, scale and principal axes of a larger gallery come from so many of its images at random."""
SHRINKAGE = 0.2
"""Part of the within-class covariance that is replaced by its mean variance."""
SHARES = {"one-real": 0.2, "real-by-source": 0.4, "within-whitening": 0.4}
"""Block -> its part of the descriptor's squared length."""
MIN_VARIANCE = 1e-6
"""Axes with less than this part of the first axis' variance are rounding, not signal."""

Array = NDArray[np.floating[Any]]
Axes = tuple[str, Array, float]
"""A block: its name, its axes (T*D, width) and its share of the squared length."""


def fit_projection(
    taps: Array,
    families: Sequence[str | None],
    labels: Sequence[str | None],
    sources: Sequence[str | None],
    *,
    dim: int = 256,
    seed: int = 0,
) -> Projection:
    """A projection of taps (n, T, D) to descriptors of `dim` axes.

    `families`, `labels` ("real" or "fake") and `sources` say what is known of each image,
    None what is not. What the gallery allows decides the kind; `fitted_on.note` says why:

    - "random": too few images to learn from; a seeded Gaussian matrix roughly keeps the
      angles between taps (Johnson and Lindenstrauss 1984);
    - "whitening": standardised and PCA-whitened taps; no labels used;
    - "discriminant": two blocks of shrinkage LDA axes hold what tells the known classes
      apart; a third of principal axes, whitened by the covariance within classes (WCCN:
      Hatch et al. 2006), keeps families findable that nobody has labelled.
    """
    by_source, merged = partitions(families, labels, sources)
    labelled, classes = int((by_source != NO_CLASS).sum()), int(by_source.max(initial=-1)) + 1
    rows = np.random.default_rng(seed).permutation(len(taps))[:SAMPLE]
    flat = taps.shape[1] * taps.shape[2]
    sample = taps[np.sort(rows)].reshape(len(rows), flat).astype(np.float32)

    if len(taps) < MIN_IMAGES or not np.ptp(sample, axis=0).any():
        kind, center = "random", np.zeros(flat)
        gaussian = np.random.default_rng(seed).standard_normal((center.size, dim))
        blocks: list[Axes] = [("random", gaussian, 1.0)]
        found = "all images equal" if len(taps) >= MIN_IMAGES else f"{len(taps)} images"
        note = f"{found}: whitening needs {MIN_IMAGES} that differ"
    else:
        center, principal, variance = _principal_axes(sample, seed)
        if labelled < MIN_IMAGES or classes < MIN_CLASSES:
            kind = "whitening"
            width = min(dim, len(variance), len(taps) // IMAGES_PER_AXIS)
            blocks = [("whitening", principal[:, :width] / np.sqrt(variance[:width]), 1.0)]
            note = (
                f"{labelled} labelled images in {classes} classes of {MIN_PER_CLASS} or more: "
                f"discriminants need {MIN_IMAGES} in {MIN_CLASSES}"
            )
        else:
            kind = "discriminant"
            used = np.flatnonzero((by_source != NO_CLASS) | (merged != NO_CLASS))
            scores = np.concatenate(
                [(batch - center) @ principal for batch in _batches(taps[used])]
            )
            blocks = _discriminants(principal, scores, by_source[used], merged[used], dim)
            note = f"discriminants of {classes} classes, reals by source and as one"
    return _assemble(
        kind, taps, center, blocks, dim, Fitted(len(taps), labelled, classes, seed, note)
    )


def _principal_axes(sample: Float32, seed: int) -> tuple[Array, Array, Array]:
    """The mean (T*D,) of taps (n, T*D), their principal axes (T*D, k) and variances (k,).

    The axes hold the standardisation: they apply to taps that are only centred.
    """
    scaler = StandardScaler().fit(sample)
    standard = scaler.transform(sample)
    pca = PCA(min(SPAN, *standard.shape), iterated_power=2, random_state=seed).fit(standard)
    varied = pca.explained_variance_ > MIN_VARIANCE * pca.explained_variance_[0]
    axes = pca.components_[varied].T / scaler.scale_[:, None]
    return (
        scaler.mean_.astype(np.float32),
        axes.astype(np.float32),
        pca.explained_variance_[varied],
    )


def _discriminants(
    principal: Array, scores: Array, by_source: Int64, merged: Int64, dim: int
) -> list[Axes]:
    """The blocks of a labelled gallery from its principal scores (n, k)."""
    blocks: list[Axes] = []
    for name, codes in (("one-real", merged), ("real-by-source", by_source)):
        known = codes != NO_CLASS
        lda = LinearDiscriminantAnalysis(solver="eigen", shrinkage=SHRINKAGE)
        lda.fit(scores[known], codes[known])
        width = min(len(lda.classes_) - 1, dim // 4)
        blocks.append((name, principal @ lda.scalings_[:, :width], SHARES[name]))
    # The covariance within classes that is left is the finer one: reals by source.
    width = dim - sum(axes.shape[1] for _, axes, _ in blocks)
    width = min(width, len(lda.covariance_), int(known.sum()) // IMAGES_PER_AXIS)
    within = cholesky(lda.covariance_[:width, :width], lower=True)
    whitened = solve_triangular(within, principal[:, :width].T, lower=True).T
    name = "within-whitening"
    return [*blocks, (name, whitened, SHARES[name])]


def _assemble(
    kind: str, taps: Array, center: Array, blocks: list[Axes], dim: int, fitted: Fitted
) -> Projection:
    """Blocks side by side; the last one is filled up with zero axes to `dim` in all."""
    matrix = np.hstack([axes for _, axes, _ in blocks])
    spare = dim - matrix.shape[1]
    widths = [axes.shape[1] for _, axes, _ in blocks]
    widths[-1] += spare
    return Projection(
        kind=kind,
        taps=(taps.shape[1], taps.shape[2]),
        center=center.astype(np.float32),
        matrix=np.pad(matrix, ((0, 0), (0, spare))).astype(np.float32),
        blocks=tuple(
            Block(name, width, share)
            for (name, _, share), width in zip(blocks, widths, strict=True)
        ),
        fitted_on=fitted,
    )


def _batches(taps: Array) -> Iterator[Float32]:
    """Rows as (m, T*D) float32, a batch at a time."""
    for start in range(0, len(taps), BATCH):
        batch = taps[start : start + BATCH]
        yield batch.reshape(len(batch), -1).astype(np.float32)
