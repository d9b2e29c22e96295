"""Which tokens of an image are worth keeping."""

import numpy as np

from indexer.types import Float32, Int64


def distinct(tokens: Float32, neutral: Float32, count: int) -> Int64:
    """Positions, ascending, of the `count` tokens least like their image as a whole.

    `tokens` (n, dim) of one image; `neutral` (dim,) is what the model says of nothing (the
    mean token of a flat grey image), so that what all tokens share counts for none. A token's
    rank is its mean squared cosine with all tokens of the image: how much of it lies in the
    directions that the image is full of. All are kept when n <= count.
    docs/regions.md compares this with token norm, attention, background and chance.
    """
    if len(tokens) <= count:
        return np.arange(len(tokens), dtype=np.int64)
    shifted = tokens - neutral
    norms = np.linalg.norm(shifted, axis=1, keepdims=True)
    unit = shifted / np.maximum(norms, np.finfo(np.float32).tiny)
    typical = np.square(unit @ unit.T).mean(axis=1)
    return np.sort(np.argsort(typical, kind="stable")[:count]).astype(np.int64)
