"""Drawn scenes: seeded, each kind with its own textures, edges and colours.

Every kind is a function (shape, rng) -> (height, width, 3) float32 in linear light,
[0, 1]; `indexer.samples.camera` turns it into a picture.
"""

import math
from collections.abc import Callable, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.samples.pixels import Mask, blur, octave_noise
from indexer.types import Float32

Shape = tuple[int, int]
Scene = Callable[[Shape, np.random.Generator], Float32]


def _colour(rng: np.random.Generator, low: float = 0.03, high: float = 0.9) -> Float32:
    return rng.uniform(low, high, 3).astype(np.float32)


def _grid(shape: Shape) -> tuple[Float32, Float32]:
    """Row and column coordinates, each (height, width)."""
    y, x = np.arange(shape[0], dtype=np.float32), np.arange(shape[1], dtype=np.float32)
    return np.broadcast_to(y[:, None], shape), np.broadcast_to(x, shape)


def _mix(first: Float32, second: Float32, share: NDArray[np.floating[Any]]) -> Float32:
    """Colours (3,) blended by a map (height, width) of the second's share."""
    return np.asarray(first + (second - first) * share[..., None], np.float32)


def _paint(scene: Float32, mask: Mask, colour: Float32) -> None:
    scene[mask] = colour[mask] if colour.ndim == 3 else colour


def _around(row: float, column: float, reach: float) -> tuple[slice, slice]:
    """The square of pixels no farther than `reach` along either axis."""
    return (
        slice(max(0, int(row - reach)), int(row + reach) + 2),
        slice(max(0, int(column - reach)), int(column + reach) + 2),
    )


def hills(shape: Shape, rng: np.random.Generator) -> Float32:
    """A clouded sky above ridges that darken and gain texture towards the viewer."""
    y, x = _grid(shape)
    height, width = shape
    sky = _mix(_colour(rng, 0.1, 0.7), _colour(rng, 0.5, 0.95), y / height)
    clouds = np.clip(octave_noise(shape, rng, width / 2, 0.55) * 2.2 - 1, 0, 1)
    scene = sky + (0.95 - sky) * clouds[..., None]
    layers = int(rng.integers(3, 6))
    far, near = _colour(rng, 0.2, 0.6), _colour(rng, 0.02, 0.25)
    for layer in range(layers):
        base = height * (0.35 + 0.55 * layer / layers + rng.uniform(-0.05, 0.05))
        ridge = base + (octave_noise((2, width), rng, width / 3)[0] - 0.5) * height * 0.3
        depth = (layer + 1) / layers
        texture = octave_noise(shape, rng, 4 + 10 * depth, 0.8)
        body = (far + (near - far) * depth) * (1 + 1.6 * depth * (texture[..., None] - 0.5))
        _paint(scene, y > ridge[x.astype(int)], body)
    return np.asarray(scene, np.float32)


def spheres(shape: Shape, rng: np.random.Generator) -> Float32:
    """Shaded balls with highlights and soft shadows on a textured table."""
    y, x = _grid(shape)
    table = octave_noise(shape, rng, rng.uniform(8, 60), 0.7)
    scene = _mix(_colour(rng, 0.05, 0.4), _colour(rng, 0.3, 0.9), table)
    light = rng.uniform(-0.7, 0.7, 2).tolist()
    skin = 0.75 + 0.5 * octave_noise(shape, rng, rng.uniform(3, 24), 0.8)
    balls = rng.uniform((0, 0, 0.07), (1, 1, 0.22), (int(rng.integers(4, 10)), 3))
    balls = balls * (*shape, min(shape))
    shadow = np.zeros(shape, np.float32)
    for cy, cx, radius in balls.tolist():
        shadow[
            (y - cy + light[0] * radius) ** 2 + (x - cx + light[1] * radius) ** 2 < radius**2
        ] = 1
    scene *= 1 - 0.6 * blur(shadow, 8)[..., None]
    for cy, cx, radius in balls.tolist():
        box = _around(cy, cx, radius)
        ny, nx = (y[box] - cy) / radius, (x[box] - cx) / radius
        nz = np.sqrt(np.clip(1 - ny**2 - nx**2, 0, 1))
        lit = np.clip((light[0] * ny + light[1] * nx + nz) / math.hypot(1, *light), 0, 1)
        body = _colour(rng) * (0.08 + lit * skin[box])[..., None] + 0.8 * lit[..., None] ** 40
        _paint(scene[box], nz > 0, np.asarray(body, np.float32))
    return scene


def leaves(shape: Shape, rng: np.random.Generator) -> Float32:
    """Overlapping leaves with veins, lighter towards the top of the pile."""
    y, x = _grid(shape)
    scene = _mix(_colour(rng, 0.01, 0.1), _colour(rng, 0.05, 0.25), octave_noise(shape, rng, 24))
    tint = rng.uniform((0.02, 0.15, 0.01), (0.45, 0.6, 0.15))
    count = int(rng.integers(40, 70))
    for index in range(count):
        length = rng.uniform(0.08, 0.2) * min(shape)
        angle = rng.uniform(0, 2 * np.pi)
        cy, cx = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        box = _around(cy, cx, length)
        dy, dx = y[box] - cy, x[box] - cx
        along = (dx * math.cos(angle) + dy * math.sin(angle)) / length
        across = (dy * math.cos(angle) - dx * math.sin(angle)) / length
        inside = np.abs(across) < 0.35 * (1 - along**2)
        veins = np.abs(np.sin((along + np.abs(across) * 1.2) * rng.uniform(18, 30)))
        shade = (0.35 + 0.65 * index / count) * (0.6 + 0.4 * veins) * (1.1 - 0.9 * across)
        shade = np.where(np.abs(across) < 0.02, 1.4 * shade, shade)
        colour = tint * rng.uniform(0.6, 1.4, 3)
        scene[box][inside] = (np.clip(shade, 0, 2)[..., None] * colour)[inside]
    return scene


def page(shape: Shape, rng: np.random.Generator) -> Float32:
    """Lines of letter-like strokes on fibrous paper under uneven light."""
    paper = _mix(_colour(rng, 0.5, 0.8), _colour(rng, 0.7, 0.95), octave_noise(shape, rng, 3, 0.9))
    ink = np.zeros(shape, np.float32)
    size = int(rng.integers(10, 22))
    tilt = rng.uniform(-0.06, 0.06)
    for top in range(-size, shape[0] + size, round(size * 1.7)):
        left = int(rng.integers(4, 16))
        while left < shape[1] - size:
            advance = int(rng.integers(size // 3, size))
            if rng.random() < 0.85:
                _stroke(ink, top + tilt * left, left, size, advance, rng)
            left += advance + 2
    light = 0.55 + 0.45 * octave_noise(shape, rng, max(shape), 0.3)
    inked = _colour(rng, 0.01, 0.15)
    scene = _mix(paper, inked, np.clip(blur(ink, 0.7) * 1.5, 0, 1))
    return np.asarray(scene * light[..., None], np.float32)


def _stroke(
    ink: Float32, top: float, left: int, size: int, width: int, rng: np.random.Generator
) -> None:
    """A letter-like polyline of three or four straight pen strokes, drawn into `ink`."""
    points = rng.random((int(rng.integers(4, 6)), 2)) * (size, width) + (top, left)
    for start, end in pairwise(points):
        steps = np.linspace(0, 1, 3 * size)[:, None]
        row, column = np.rint(start + (end - start) * steps).astype(int).T
        inside = (row >= 0) & (row < ink.shape[0]) & (column >= 0) & (column < ink.shape[1])
        ink[row[inside], column[inside]] = 1


def marble(shape: Shape, rng: np.random.Generator) -> Float32:
    """Veined stone or wood grain: stripes bent by noise, with fine speckle."""
    y, x = _grid(shape)
    angle = rng.uniform(0, np.pi)
    period = rng.uniform(12, 70)
    bend = octave_noise(shape, rng, max(shape) / rng.uniform(1.5, 4), 0.6) * rng.uniform(3, 14)
    stripes = 0.5 + 0.5 * np.sin(
        2 * np.pi * (x * math.cos(angle) + y * math.sin(angle)) / period + bend
    )
    scene = _mix(_colour(rng), _colour(rng), stripes ** rng.uniform(0.5, 3))
    speckle = octave_noise(shape, rng, rng.uniform(2, 8), 0.8)
    return np.asarray(scene * (0.7 + 0.6 * speckle)[..., None], np.float32)


def blocks(shape: Shape, rng: np.random.Generator) -> Float32:
    """House fronts with rows of windows, plaster texture and a lit edge."""
    y, x = _grid(shape)
    scene = _mix(_colour(rng, 0.2, 0.7), _colour(rng, 0.5, 0.95), y / shape[0])
    plaster = 0.75 + 0.5 * octave_noise(shape, rng, rng.uniform(3, 12), 0.8)
    left = -rng.uniform(0, 40)
    while left < shape[1]:
        wide = rng.uniform(0.18, 0.45) * shape[1]
        top = rng.uniform(0.05, 0.6) * shape[0]
        slope = np.clip(1.1 - 0.5 * (x - left) / wide, 0, 2)
        front = _colour(rng, 0.08, 0.7) * (plaster * slope)[..., None]
        inside = (x >= left) & (x < left + wide) & (y > top)
        _paint(scene, inside, np.asarray(front, np.float32))
        pitch = rng.uniform(14, 34, 2)
        row, column = (y - top) / pitch[0], (x - left) / pitch[1]
        pane = (row % 1 > 0.3) & (row % 1 < 0.8) & (column % 1 > 0.3) & (column % 1 < 0.75)
        glow = rng.random((64, 64))[row.astype(int) % 64, column.astype(int) % 64]
        glass = _mix(_colour(rng, 0.01, 0.1), _colour(rng, 0.2, 0.9), glow.astype(np.float32) ** 4)
        _paint(scene, inside & pane & (row > 0.2), glass)
        left += wide
    return scene


SCENES: Mapping[str, Scene] = MappingProxyType(
    {scene.__name__: scene for scene in (hills, spheres, leaves, page, marble, blocks)}
)
"""Every kind of drawn scene by its name."""
