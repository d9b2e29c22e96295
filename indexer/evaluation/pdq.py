"""The PDQ perceptual hash as a descriptor: the baseline that knows pictures, not their makers."""

import numpy as np

from indexer.errors import MissingExtra
from indexer.types import RGB, Float32

BITS = 256


def pdq_descriptor(image: RGB) -> Float32:
    """(256,) float32 unit vector of an upright RGB image (height, width, 3) uint8.

    Each bit of the hash becomes +-1/16, so that the cosine of two is 1 - hamming / 128.
    Raises MissingExtra without the package pdqhash.
    """
    try:
        import pdqhash
    except ImportError as error:
        raise MissingExtra("pdqhash", "evaluate", "the PDQ baseline") from error
    bits, _quality = pdqhash.compute(image)
    return np.where(bits, np.float32(BITS**-0.5), np.float32(-(BITS**-0.5)))
