"""Array operations that the scenes, the camera and the manipulations share.

A *picture* is (height, width, 3) float32, sRGB values in [0, 1].
"""

from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from indexer.types import RGB, Float32

Mask = NDArray[np.bool_]
"""(height, width): which pixels were touched."""

Kernel = Literal["box", "linear", "cubic", "lanczos"]
_SUPPORT: dict[Kernel, float] = {"box": 0.5, "linear": 1.0, "cubic": 2.0, "lanczos": 3.0}


def _kernel(name: Kernel, x: Float32) -> Float32:
    """The interpolation kernels of Keys (1981, cubic with a = -1/2) and Duchon (1979)."""
    x = np.abs(x)
    match name:
        case "box":
            return (x <= 0.5).astype(np.float32)
        case "linear":
            return np.asarray(np.clip(1 - x, 0, None), np.float32)
        case "cubic":
            near = 1.5 * x**3 - 2.5 * x**2 + 1
            far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
            return np.where(x < 1, near, np.where(x < 2, far, 0)).astype(np.float32)
        case "lanczos":
            return np.where(x < 3, np.sinc(x) * np.sinc(x / 3), 0).astype(np.float32)


@lru_cache(maxsize=1024)
def _weights(size: int, target: int, kernel: Kernel) -> Float32:
    """(target, size): row i holds the weights of the inputs that make output i.

    When it shrinks, the kernel is widened by the factor (antialiasing).
    """
    scale = size / target
    centres = (np.arange(target) + 0.5) * scale - 0.5
    stretch = max(scale, 1.0)
    offsets = np.asarray((np.arange(size) - centres[:, None]) / stretch, np.float32)
    weights = _kernel(kernel, offsets)
    return np.asarray(weights / weights.sum(1, keepdims=True), np.float32)


def resize(picture: Float32, shape: tuple[int, int], kernel: Kernel = "cubic") -> Float32:
    """Separable antialiased resampling of (height, width[, channels]) to `shape`."""
    rows = _weights(picture.shape[0], shape[0], kernel)
    columns = _weights(picture.shape[1], shape[1], kernel)
    planes = picture.transpose(2, 0, 1) if picture.ndim == 3 else picture
    resized = rows @ planes @ columns.T
    return np.ascontiguousarray(resized.transpose(1, 2, 0) if picture.ndim == 3 else resized)


def blur(picture: Float32, sigma: float) -> Float32:
    """Gaussian blur over rows and columns, not over channels."""
    sigmas = (sigma, sigma, 0)[: picture.ndim]
    return np.asarray(ndimage.gaussian_filter(picture, sigmas, mode="reflect"), np.float32)


def octave_noise(
    shape: tuple[int, int], rng: np.random.Generator, cell: float, falloff: float = 0.5
) -> Float32:
    """(height, width) in [0, 1]: value noise whose octaves go from `cell` pixels down to 2.

    Each octave has half the cell and `falloff` of the amplitude of the one before.
    """
    total = np.zeros(shape, np.float32)
    amplitude = 1.0
    while cell >= 2:
        grid = tuple(max(2, round(side / cell) + 1) for side in shape)
        values = rng.random(grid, dtype=np.float32)
        total += amplitude * resize(values, shape, "cubic")
        amplitude *= falloff
        cell /= 2
    low, high = total.min(), total.max()
    return np.asarray((total - low) / max(high - low, 1e-6), np.float32)


def blob(shape: tuple[int, int], rng: np.random.Generator, share: tuple[float, float]) -> Mask:
    """One irregular region near the middle, covering a share of the image drawn from `share`."""
    height, width = shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    cy, cx = rng.uniform(0.35, 0.65) * height, rng.uniform(0.35, 0.65) * width
    stretch = np.exp(rng.uniform(-0.3, 0.3))
    radius = np.hypot((y - cy) * stretch, (x - cx) / stretch)
    ragged = radius * (0.7 + 0.6 * octave_noise(shape, rng, max(shape) / 3, 0.4))
    limit = np.quantile(ragged, rng.uniform(*share))
    labels, _ = ndimage.label(ragged <= limit)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.asarray(ndimage.binary_fill_holes(labels == sizes.argmax()), np.bool_)


def composite(below: Float32, above: Float32, mask: Mask) -> Float32:
    """`above` where the mask is set, `below` elsewhere, values clipped to [0, 1]."""
    return np.where(mask[..., None], np.clip(above, 0, 1), below).astype(np.float32)


def to_bytes(picture: Float32) -> RGB:
    """[0, 1] to rounded uint8."""
    return np.asarray(np.clip(picture * 255 + 0.5, 0, 255), np.uint8)


def to_picture(pixels: RGB) -> Float32:
    """uint8 to [0, 1] float32."""
    return (pixels / np.float32(255)).astype(np.float32)
