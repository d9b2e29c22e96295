"""Manipulations of a region: inpainting, warp, splice, copy-move.

Each returns the manipulated picture and the mask of what it touched; outside the mask the
picture is unchanged to the bit. A donor is another picture of the same shape.
"""

import numpy as np
from scipy import ndimage

from indexer.samples.pixels import Mask, blob, blur, composite, resize
from indexer.types import Float32

Manipulated = tuple[Float32, Mask]


def inpainting(picture: Float32, rng: np.random.Generator) -> Manipulated:
    """A hole filled from its surroundings by normalised convolution (Knutsson 1993).

    Computed at a quarter of the resolution; narrow kernels where they reach, wider ones
    further in: smooth, without texture.
    """
    mask = blob(picture.shape[:2], rng, (0.15, 0.4))
    shape = (picture.shape[0] // 4, picture.shape[1] // 4)
    known = resize((~mask).astype(np.float32), shape, "box")[..., None]
    seen = resize(picture * ~mask[..., None], shape, "box")
    fill = np.zeros_like(seen)
    for sigma in (16.0, 6.0, rng.uniform(1, 2.5)):
        weight = blur(known, sigma)
        share = np.clip(weight * 4, 0, 1)
        fill += (blur(seen, sigma) / np.maximum(weight, 1e-6) - fill) * share
    return composite(picture, resize(fill, picture.shape[:2]), mask), mask


def warp(picture: Float32, rng: np.random.Generator) -> Manipulated:
    """A disc that is twirled and rippled, with bilinear interpolation."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    dy = y - rng.uniform(0.4, 0.6) * height
    dx = x - rng.uniform(0.4, 0.6) * width
    reach = np.clip(1 - np.hypot(dy, dx) / (rng.uniform(0.3, 0.45) * min(height, width)), 0, 1)
    twirl = reach**1.5 * rng.choice((-1, 1)) * rng.uniform(0.8, 2.2)
    ripple = np.sqrt(reach) * rng.uniform(3, 6)
    phase = 2 * np.pi * np.hypot(dy, dx) / rng.uniform(9, 20)
    direction = rng.uniform(0, 2 * np.pi)
    from_y = y + dy * (np.cos(twirl) - 1) + dx * np.sin(twirl)
    from_x = x + dx * (np.cos(twirl) - 1) - dy * np.sin(twirl)
    from_y += ripple * np.sin(phase) * np.sin(direction)
    from_x += ripple * np.sin(phase) * np.cos(direction)
    mask = np.hypot(from_y - y, from_x - x) > 0.5
    channels = [
        ndimage.map_coordinates(channel, (from_y, from_x), order=1, mode="mirror")
        for channel in np.moveaxis(picture, -1, 0)
    ]
    return composite(picture, np.stack(channels, -1), mask), mask


def splice(picture: Float32, donor: Float32, rng: np.random.Generator) -> Manipulated:
    """A region of another picture with its own exposure and sharpness, cut out hard."""
    mask = blob(picture.shape[:2], rng, (0.15, 0.4))
    foreign = donor * rng.uniform(0.7, 1.3, 3).astype(np.float32)
    foreign = foreign + rng.uniform(1.0, 2.5) * (foreign - blur(foreign, 1.2))
    edge = mask & ~ndimage.binary_erosion(mask, iterations=2)
    halo = rng.choice((-1, 1)) * rng.uniform(0.15, 0.35)
    return composite(picture, foreign + halo * edge[..., None], mask), mask


def copy_move(picture: Float32, rng: np.random.Generator) -> Manipulated:
    """One small rectangle of the picture stamped many times, side by side."""
    height, width = picture.shape[:2]
    stamp = rng.integers(24, 44, 2)
    copies = rng.integers(3, 6, 2)
    row, column = rng.integers(0, np.array((height, width)) - stamp)
    patch = picture[row : row + stamp[0], column : column + stamp[1]]
    tiled = np.tile(patch, (*copies, 1))[:height, :width]
    top = int(rng.integers(0, height - tiled.shape[0] + 1))
    left = int(rng.integers(0, width - tiled.shape[1] + 1))
    mask = np.zeros((height, width), np.bool_)
    mask[top : top + tiled.shape[0], left : left + tiled.shape[1]] = True
    above = np.zeros_like(picture)
    above[mask] = tiled.reshape(-1, 3)
    return composite(picture, above, mask), mask
