"""Tokens as bytes: 8-bit codes with one scale a token."""

import numpy as np
from numpy.typing import NDArray

from indexer.types import Float32, Patches


def quantised(tokens: Float32, boxes: Float32) -> Patches:
    """Tokens (n, dim), finite, at `boxes` (n, 4); the largest value of each becomes 127."""
    largest = np.abs(tokens).max(axis=1, initial=0)
    scales = np.where(largest > 0, largest / 127, 1).astype(np.float32)
    codes: NDArray[np.int8] = np.rint(tokens / scales[:, None]).astype(np.int8)
    return Patches(codes, scales, np.asarray(boxes, np.float32))


def restored(patches: Patches) -> Float32:
    """(n, dim) float32: each value within half a scale of what was quantised."""
    return patches.codes * patches.scales[:, None]
