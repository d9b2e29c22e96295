"""A colour map whose lightness rises evenly, in print and for the colour-blind."""

from typing import Final

import numpy as np

from indexer.types import RGB, Float32

CIVIDIS: Final = np.array(
    [
        (0, 34, 78), (18, 53, 112), (59, 73, 108), (87, 93, 109), (112, 113, 115),
        (138, 134, 120), (165, 156, 116), (195, 179, 105), (225, 204, 85), (254, 232, 56),
    ],
    np.float32,
)  # fmt: skip
"""Ten evenly spaced colours of cividis (Nuñez, Anderton & Renslow 2018, CC0)."""


def coloured(values: Float32) -> RGB:
    """(...,) in [0, 1] -> (..., 3) uint8: dark blue is 0, yellow 1."""
    places = np.linspace(0, 1, len(CIVIDIS))
    channels = [np.interp(values, places, CIVIDIS[:, channel]) for channel in range(3)]
    return np.rint(np.stack(channels, axis=-1)).astype(np.uint8)
