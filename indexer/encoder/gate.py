"""The gate: an engine is used only if it computes what the reference computes.

Its taps and logits on fixed, generated images are compared with those of torch in fp32 on the
CPU, and held to the bounds of its class of arithmetic (`indexer.precision.BOUNDS`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from indexer.encoder.engine import Engine, Outputs, joined
from indexer.errors import EngineRefused
from indexer.images.recipe import Recipe, preprocess
from indexer.precision import BOUNDS
from indexer.types import RGB, Float32

SHORT = 0.01
"""A tap shorter than this part of the longest of its name among the probes is judged by its
length more than by its direction, which is only rounding there (a flat image has no patch
deviation)."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """`cosine` of the worst tap, `tap` its name; `logits` as `indexer.precision.Bounds` has it,
    0 without a head."""

    cosine: float
    tap: str
    logits: float


def probes(recipe: Recipe) -> list[Float32]:
    """The inputs that engines are compared on: textures, edges, noise and a flat image."""
    height, width = recipe.output_size
    return [preprocess(image, recipe) for image in _pictures(height * 5 // 4, width * 3 // 2)]


def check(
    engine: Engine, expected: Outputs, inputs: Sequence[Float32], taps: Sequence[str]
) -> Deviation:
    """How far `engine` is from what the reference yields for `inputs`.

    Raises EngineRefused with the figures when it is out of the bounds of its class.
    """
    found = deviation(joined(engine.run(inputs)), expected, taps)
    bounds = BOUNDS[engine.precision]
    if not (found.cosine >= bounds.cosine and found.logits <= bounds.logits):  # NaN is refused
        raise EngineRefused(
            f"{engine.name} in {engine.precision} is off the fp32 reference: tap {found.tap} has "
            f"cosine {found.cosine:.6f}, logits deviate by {found.logits:.4f}",
            expected=f"a cosine of {bounds.cosine} or more and logits within {bounds.logits}",
            do="use another --precision, or --engine torch --precision fp32, the reference itself",
        )
    return found


def deviation(found: Outputs, expected: Outputs, taps: Sequence[str]) -> Deviation:
    """Compare the outputs of two engines for the same inputs."""
    cosines = _cosines(found.taps, expected.taps).min(axis=0)
    worst = int(cosines.argmin())
    scale = np.abs(expected.logits).max(initial=1.0)
    logits = float(np.abs(found.logits - expected.logits).max(initial=0.0) / scale)
    return Deviation(float(cosines[worst]), taps[worst], logits)


def _cosines(found: Float32, expected: Float32) -> Float32:
    """(n, taps), after a constant axis of length SHORT x the longest is added to each."""
    lengths = np.linalg.norm(expected, axis=-1)
    square = (SHORT * lengths.max(axis=0)) ** 2
    own = np.linalg.norm(found, axis=-1)
    dots = np.einsum("ntd,ntd->nt", found, expected, dtype=np.float64)
    cosines: Float32 = (dots + square) / np.sqrt((own**2 + square) * (lengths**2 + square))
    return cosines


def _pictures(height: int, width: int) -> list[RGB]:
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:height, :width]
    waves = 127 + 100 * np.sin(columns / 7)[..., None] * np.cos(rows[..., None] / (5, 11, 17))
    steps = np.kron(rng.integers(0, 256, (8, 8, 3)), np.ones((-(-height // 8), -(-width // 8), 1)))
    noise = rng.integers(0, 256, (height, width, 3))
    flat = np.full((height, width, 3), 200)
    ramp = np.repeat((columns * 255 / width)[..., None], 3, axis=2)
    textures = [_texture(rng, height, width, slope) for slope in (0.7, 1.0, 1.5)]
    pictures = [waves, steps[:height, :width], noise, flat, ramp, *textures]
    return [np.broadcast_to(p, (height, width, 3)).astype(np.uint8) for p in pictures]


def _texture(rng: np.random.Generator, height: int, width: int, slope: float) -> Float32:
    """Noise whose amplitude falls with frequency, as in photographs (Field 1987: about 1/f)."""
    down, across = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    frequency = np.maximum(np.hypot(down, across), 1 / max(height, width))[..., None]
    spectrum = rng.normal(size=(*frequency.shape[:2], 3, 2)) @ [1, 1j] / frequency**slope
    values = np.fft.irfft2(spectrum, (height, width), axes=(0, 1))
    texture: Float32 = np.clip(128 + 50 * values / values.std(axis=(0, 1)), 0, 255)
    return texture
