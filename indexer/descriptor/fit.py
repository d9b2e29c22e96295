"""Fit a projection to a gallery: whitening from the first images on, LDA once labels allow."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.preprocessing import StandardScaler

from indexer.descriptor.projection import BATCH, Block, Fitted, Projection
from indexer.types import Float32

IMAGES_FOR_WHITENING = 64
"""Fewer images than this span too few directions to whiten."""
IMAGES_PER_AXIS = 2
"""Whitened axes are at most this part of the images: 256 axes need 512 images."""
IMAGES_PER_CLASS = 5
CLASSES_FOR_LDA = 3
SAMPLE = 10_000
"""Images that the PCA looks at; a larger gallery is sampled without replacement."""
LDA_SHARE = 0.7
"""Part of the descriptor's squared length that the LDA block holds."""


def fit_projection(
    taps: NDArray[np.floating[Any]],
    families: Sequence[str | None],
    labels: Sequence[str | None],
    sources: Sequence[str | None],
    *,
    dim: int = 256,
    seed: int = 0,
) -> Projection:
    """A projection of taps (n, T, D) to descriptors of `dim` axes.

    `families`, `labels` ("real" or "fake") and `sources` say what is known of each image,
    None what is not. The kind follows from the gallery and is said in `fitted_on.note`:

    - "random": too few images to learn from; a seeded Gaussian projection keeps the
      angles of the taps (Johnson-Lindenstrauss);
    - "whitening": taps are standardised and PCA-whitened, no labels used;
    - "whitening+lda": part of the axes are those of a shrinkage LDA of the known classes.
    """
    images, shape = len(taps), (taps.shape[1], taps.shape[2])
    classes = _classes(families, labels, sources)
    known = np.flatnonzero([name is not None for name in classes])
    scaler = StandardScaler()
    for batch in _batches(taps):
        scaler.partial_fit(batch)

    def projection(
        kind: str, matrix: NDArray[Any], blocks: tuple[Block, ...], note: str
    ) -> Projection:
        center = np.zeros(matrix.shape[0]) if kind == "random" else scaler.mean_
        return Projection(
            kind=kind,
            taps=shape,
            center=center.astype(np.float32),
            matrix=np.ascontiguousarray(matrix, dtype=np.float32),
            blocks=blocks,
            fitted_on=Fitted(images, len(known), len({classes[i] for i in known}), seed, note),
        )

    rng = np.random.default_rng(seed)
    if images < IMAGES_FOR_WHITENING or not scaler.var_.any():
        matrix = rng.standard_normal((shape[0] * shape[1], dim))
        found = f"{images} images" if images < IMAGES_FOR_WHITENING else "images all equal"
        note = f"random projection: {found}, whitening needs {IMAGES_FOR_WHITENING} that differ"
        return projection("random", matrix, (Block("random", dim, 1.0),), note)

    sample = np.sort(rng.choice(images, min(images, SAMPLE), replace=False))
    pca = PCA(
        min(dim, shape[0] * shape[1], images // IMAGES_PER_AXIS),
        svd_solver="randomized",
        random_state=seed,
    ).fit(scaler.transform(taps[sample].reshape(len(sample), -1).astype(np.float32)))
    varied = pca.explained_variance_ > 1e-6 * pca.explained_variance_[0]
    whiten = (pca.components_[varied] / np.sqrt(pca.explained_variance_[varied, None])).T
    whiten /= scaler.scale_[:, None]
    if len({classes[i] for i in known}) < CLASSES_FOR_LDA:
        matrix = _widen(whiten, dim)
        note = f"whitening: fewer than {CLASSES_FOR_LDA} classes of {IMAGES_PER_CLASS} images"
        return projection("whitening", matrix, (Block("whitening", dim, 1.0),), note)

    white = np.concatenate([(batch - scaler.mean_) @ whiten for batch in _batches(taps[known])])
    lda = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto").fit(
        white, [classes[i] for i in known]
    )
    axes = lda.scalings_[:, : min(lda.scalings_.shape[1], len(lda.classes_) - 1, dim // 2)]
    rest = dim - axes.shape[1]
    return projection(
        "whitening+lda",
        np.hstack([whiten @ axes, _widen(whiten, rest)]),
        (Block("lda", axes.shape[1], LDA_SHARE), Block("whitening", rest, 1 - LDA_SHARE)),
        f"whitening and LDA of {len(lda.classes_)} classes",
    )


def _classes(
    families: Sequence[str | None], labels: Sequence[str | None], sources: Sequence[str | None]
) -> list[str | None]:
    """The LDA class of each image: fakes by family, reals by source, None where unknown or rare."""
    names: list[str | None] = []
    for family, label, source in zip(families, labels, sources, strict=True):
        if label == "real":
            names.append(f"real {source or ''}")
        else:
            names.append(f"fake {family}" if family else None)
    counts = Counter(names)
    return [name if counts[name] >= IMAGES_PER_CLASS else None for name in names]


def _batches(taps: NDArray[np.floating[Any]]) -> Iterator[Float32]:
    for start in range(0, len(taps), BATCH):
        batch = taps[start : start + BATCH]
        yield batch.reshape(len(batch), -1).astype(np.float32)


def _widen(matrix: NDArray[Any], width: int) -> NDArray[Any]:
    """The first `width` columns, filled up with zero columns."""
    return np.pad(matrix[:, :width], ((0, 0), (0, max(0, width - matrix.shape[1]))))
