"""A simple camera: makes a drawn scene carry what a sensor leaves in a photograph.

Lens blur and vignetting, a Bayer (RGGB) mosaic, shot and read noise, bilinear
demosaicking, white balance error and the sRGB transfer curve (IEC 61966-2-1).
"""

from functools import lru_cache

import numpy as np
from scipy import ndimage

from indexer.samples.pixels import blur
from indexer.types import Float32

_TENT = (1, 2, 1)


def photograph(scene: Float32, rng: np.random.Generator) -> Float32:
    """A scene (height, width, 3) in linear light [0, 1] to the picture a camera takes of it."""
    height, width = scene.shape[:2]
    light = blur(scene, rng.uniform(0.4, 0.9)) * _vignette(height, width, rng.uniform(0, 0.35))
    raw = _mosaic(light)
    full_well = np.exp(rng.uniform(np.log(600), np.log(6000)))
    noise = np.sqrt(np.clip(raw, 0, None) / full_well + (2.5 / full_well) ** 2)
    raw = raw + noise * rng.standard_normal(raw.shape, dtype=np.float32)
    colour = _demosaic(raw) * rng.uniform(0.92, 1.08, 3).astype(np.float32)
    return _encode(np.clip(colour, 0, 1))


def _vignette(height: int, width: int, strength: float) -> Float32:
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return np.asarray(1 - strength * (y**2 + x**2) / 2, np.float32)[..., None]


def _bayer(height: int, width: int) -> Float32:
    """(height, width, 3) one-hot: which colour each sensor cell sees."""
    cells = np.zeros((height, width, 3), np.float32)
    cells[::2, ::2, 0] = cells[::2, 1::2, 1] = cells[1::2, ::2, 1] = cells[1::2, 1::2, 2] = 1
    return cells


def _mosaic(light: Float32) -> Float32:
    return np.asarray((light * _bayer(*light.shape[:2])).sum(-1), np.float32)


@lru_cache(maxsize=64)
def _neighbours(height: int, width: int) -> Float32:
    """(height, width, 3): the kernel's weight on cells that see each colour."""
    return _spread(_bayer(height, width))


def _spread(values: Float32) -> Float32:
    rows = ndimage.convolve1d(values, _TENT, axis=0, mode="mirror")
    return np.asarray(ndimage.convolve1d(rows, _TENT, axis=1, mode="mirror"), np.float32)


def _demosaic(raw: Float32) -> Float32:
    """Bilinear: each missing colour is the weighted mean of its neighbours that have it."""
    return _spread(raw[..., None] * _bayer(*raw.shape)) / _neighbours(*raw.shape)


def _encode(linear: Float32) -> Float32:
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
