"""The second view of an image: its fine grain at native resolution, without what it shows."""

import numpy as np
from PIL import Image, ImageFilter

from indexer.images.recipe import Recipe, normalise
from indexer.types import RGB, Float32

BLUR = 1.5
"""Standard deviation in pixels of the Gaussian whose coarser part is taken away."""
GAIN = 4
"""A residual of 32 levels fills the range of a pixel; generators and codecs leave less."""
GREY = 128


def residual(rgb: RGB, recipe: Recipe) -> Float32:
    """(H, W, 3) uint8 -> (3, height, width) float32: `preprocess` of the high-pass residual.

    The centre crop is taken unscaled, because scaling down averages away what a generator
    leaves from pixel to pixel; of an image smaller than the crop, the largest part of its
    shape, scaled up. docs/descriptor.md has what this view is worth.
    """
    height, width = recipe.output_size
    scale = min(1.0, rgb.shape[0] / height, rgb.shape[1] / width)
    part = _centre(rgb, max(1, round(height * scale)), max(1, round(width * scale)))
    coarse = np.asarray(Image.fromarray(part).filter(ImageFilter.GaussianBlur(BLUR)))
    fine = (part.astype(np.int16) - coarse) * GAIN + GREY
    pixels = np.clip(fine, 0, 255).astype(np.uint8)
    if part.shape[:2] != (height, width):
        enlarged = Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC)
        pixels = np.asarray(enlarged)
    return normalise(pixels, recipe)


def _centre(rgb: RGB, height: int, width: int) -> RGB:
    top, left = (rgb.shape[0] - height) // 2, (rgb.shape[1] - width) // 2
    return np.ascontiguousarray(rgb[top : top + height, left : left + width])
