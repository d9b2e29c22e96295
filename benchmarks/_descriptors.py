"""Synthetic descriptors that are as hard to search as real ones.

Same blocks as a fitted projection: two in which families are compact (discriminants) and one
in which every image varies in many directions (whitening). The constants were set by the
descriptors of 1,831 real images; docs/performance.md compares the two.
"""

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]

DIM = 256
DISCRIMINANT, SHARE = 57, 0.5
"""Axes of the discriminant blocks, and their share of the squared length."""
SPREAD = 3.6
"""Distance between family centres in units of the spread within one, in discriminant axes."""
DECAY = 0.55
"""Standard deviation of the i-th axis is (1 + i) ** -DECAY, in both parts."""
SCENE = 1.6
"""Spread of the scenes of a family relative to the images of a scene, in whitened axes."""
SCENES = 4
"""Scenes (subject, source) per family: images of one are near each other."""
CHUNK = 65_536


def descriptors(n: int, *, families: int | None = None, seed: int = 0) -> Float32:
    """(n, 256) unit rows. By default 35 families, and more as the square root of n / 1,831."""
    return draw(n, families or round(35 * max(1.0, n / 1831) ** 0.5), seed)[0]


def draw(n: int, families: int, seed: int) -> tuple[Float32, NDArray[np.int64]]:
    """(n, 256) unit rows, and the family (n,) of each."""
    rng = np.random.default_rng(seed)
    spectrum = (1 + np.arange(DIM, dtype=np.float32)) ** -DECAY
    narrow, wide = spectrum[:DISCRIMINANT], spectrum[: DIM - DISCRIMINANT]
    centres = SPREAD * narrow * rng.standard_normal((families, DISCRIMINANT), np.float32)
    scenes = SCENE * wide * rng.standard_normal((families * SCENES, len(wide)), np.float32)
    sizes = rng.pareto(2.5, families * SCENES) + 0.3  # a few large scenes, many small ones
    scene = rng.choice(families * SCENES, n, p=sizes / sizes.sum())
    rows = np.empty((n, DIM), np.float32)
    for start in range(0, n, CHUNK):
        here = scene[start : start + CHUNK]
        noise = rng.standard_normal((len(here), DIM), np.float32)
        own = 0.5 + rng.random((len(here), 1), np.float32)  # some are typical, some are not
        discriminant = centres[here // SCENES] + noise[:, :DISCRIMINANT]
        whitened = scenes[here] + own * wide * noise[:, DISCRIMINANT:]
        rows[start : start + CHUNK] = np.hstack(
            [_scaled(discriminant, SHARE), _scaled(whitened, 1 - SHARE)]
        )
    return rows, scene // SCENES


def _scaled(rows: Float32, share: float) -> Float32:
    scaled: Float32 = rows * np.float32(share**0.5) / np.linalg.norm(rows, axis=1, keepdims=True)
    return scaled
