"""The space in which patches are compared: whitened principal axes of the gallery's patches."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
from safetensors.numpy import load_file, save_file

from indexer.types import Float32

DIM: Final = 128
"""Axes kept: as good as all 384 of a ViT-S on planted regions, at a third of the cost."""
RIDGE: Final = 1e-3
"""Added to every variance, as a share of the mean one, so that empty axes stay quiet."""


@dataclass(frozen=True, slots=True)
class PatchProjection:
    """token -> unit vector: subtract `mean` (dim,), multiply by `axes` (dim, k), normalise."""

    mean: Float32
    axes: Float32

    @property
    def dim(self) -> int:
        """Width of what comes out."""
        return int(self.axes.shape[1])

    def apply(self, tokens: Float32) -> Float32:
        """(n, dim) -> (n, k) float32 unit rows. A token equal to the mean becomes the first
        axis: it has no direction of its own."""
        projected = (tokens - self.mean) @ self.axes
        norms = np.linalg.norm(projected, axis=1, keepdims=True)
        still = norms[:, 0] == 0
        projected[still, 0] = norms[still] = 1
        return np.asarray(projected / norms, np.float32)

    def save(self, path: Path) -> None:
        """Write as safetensors."""
        save_file({"mean": self.mean, "axes": np.ascontiguousarray(self.axes)}, path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote; check the file's sha256 first."""
        tensors = load_file(path)
        return cls(tensors["mean"], tensors["axes"])


def fit_patches(tokens: Float32) -> PatchProjection:
    """Fit on tokens (n, dim); fewer than two leave the axes as they are.

    PCA whitening: components scaled to unit variance (Jégou & Chum 2012), so that what most
    patches share does not drown what sets a few apart.
    """
    dim = tokens.shape[1]
    if len(tokens) < 2:
        return PatchProjection(np.zeros(dim, np.float32), np.eye(dim, min(dim, DIM), dtype="f4"))
    mean = tokens.mean(axis=0, dtype=np.float64)
    variances, axes = np.linalg.eigh(np.cov(tokens - mean, rowvar=False))
    order = np.argsort(-variances)[: min(dim, DIM)]
    spread = np.sqrt(np.clip(variances[order], 0, None) + RIDGE * max(variances.mean(), 1e-12))
    # The sign of an eigenvector is the solver's whim: the largest entry is made positive.
    kept = axes[:, order]
    kept = kept * np.sign(kept[np.abs(kept).argmax(axis=0), np.arange(len(order))])
    return PatchProjection(mean.astype(np.float32), (kept / spread).astype(np.float32))
