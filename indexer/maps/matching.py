"""What matched: how well each patch of an image is found again in another."""

import numpy as np

from indexer.types import Float32


def what_matched(here: Float32, there: Float32) -> tuple[Float32, Float32]:
    """The cosine of the best match of each patch in the other image: (q,) and (h,), in [-1, 1].

    `here` (q, dim) and `there` (h, dim) are unit rows, at least one each.
    """
    similarity = np.clip(here @ there.T, -1, 1)
    return similarity.max(axis=1), similarity.max(axis=0)
