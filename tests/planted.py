"""A gallery whose families and sources are planted: the truth is known by construction."""

from dataclasses import dataclass

import numpy as np

from indexer.calibration import cross_fit
from indexer.types import Float32


@dataclass(frozen=True)
class Planted:
    descriptors: Float32
    labels: list[str | None]
    families: list[str | None]
    sources: list[str | None]
    scores: Float32

    def split(self, rows: np.ndarray) -> "Planted":
        def pick(values):
            return [values[row] for row in rows]

        return Planted(
            self.descriptors[rows],
            pick(self.labels),
            pick(self.families),
            pick(self.sources),
            self.scores[rows],
        )


def planted(
    seed: int, *, families: int = 8, members: int = 40, reals: int = 120, spread: float = 0.16
) -> Planted:
    """Families and real sources are random directions in 24-d with isotropic noise around them."""
    rng = np.random.default_rng(seed)
    names = [f"f{k}" for k in range(families) for _ in range(members)]
    centres = rng.standard_normal((families + 4, 24)) / np.sqrt(24)
    where = np.concatenate(
        [np.repeat(np.arange(families), members), families + np.arange(reals) % 4]
    )
    x = centres[where] + spread * rng.standard_normal((len(where), 24))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    fake = np.arange(len(where)) < len(names)
    odds = np.where(fake, 1.5, -1.5) + 1.5 * rng.standard_normal(len(where))
    return Planted(
        descriptors=x.astype(np.float32),
        labels=["fake" if f else "real" for f in fake],
        families=[*names, *[None] * reals],
        sources=[f"s{(k % 3) + 3 * w}" if w < families else f"r{w}" for k, w in enumerate(where)],
        scores=(1 / (1 + np.exp(-odds))).astype(np.float32),
    )


def held_out(gallery: Planted, seed: int = 0):
    """Held-out folds of descriptors that owe nothing to labels."""
    return cross_fit(lambda _: gallery.descriptors, gallery.families, seed=seed)
