"""Attention rollout (Abnar & Zuidema 2020): what the CLS token can have heard of each patch."""

import numpy as np

from indexer.types import Float32


def rollout(attention: Float32) -> Float32:
    """(patches,) shares that sum to at most 1.

    `attention` (layers, tokens, tokens), the mean over heads, rows sum to 1, CLS first. Each
    layer passes on half of what its attention mixes and half of what was there (the residual).
    """
    heard = np.eye(attention.shape[1])[0]
    for layer in attention[::-1]:
        heard = (heard + heard @ layer) / 2
    return np.asarray(heard[1:], np.float32)
