"""Manipulations of the whole image: what generators, codecs and filters leave behind.

Each returns the manipulated picture and a mask that is set everywhere. A donor is another
picture of the same shape.
"""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import ndimage
from skimage.exposure import match_histograms
from skimage.restoration import denoise_tv_chambolle

from indexer.samples.codec import through_jpeg
from indexer.samples.local_edits import Manipulated
from indexer.samples.pixels import blur, resize
from indexer.types import Float32


def _everywhere(picture: NDArray[np.floating[Any]]) -> Manipulated:
    clipped = np.asarray(np.clip(picture, 0, 1), np.float32)
    return clipped, np.ones(clipped.shape[:2], np.bool_)


def decoder_grid(picture: Float32, rng: np.random.Generator) -> Manipulated:
    """A strided decoder: half resolution, then transposed convolutions whose kernels overlap
    unevenly and leave a periodic gain (Odena et al. 2016, doi 10.23915/distill.00003).
    """
    height, width = picture.shape[:2]
    small = resize(picture, (height // 2, width // 2), "linear")
    decoded = resize(small, (height, width), "cubic")
    period = int(rng.choice((2, 4, 8)))
    gain = rng.standard_normal((period, period, 3)).astype(np.float32)
    gain = (gain - gain.mean((0, 1))) / gain.std((0, 1))
    tiles = (-(-height // period), -(-width // period), 1)
    grid = np.tile(gain, tiles)[:height, :width] * rng.uniform(0.05, 0.1)
    return _everywhere(decoded * (1 + grid) + 0.3 * grid)


def autoencoder(picture: Float32, rng: np.random.Generator) -> Manipulated:
    """A linear autoencoder: overlapping 8 x 8 patches through a few quantised components."""
    size, stride = 8, 4
    height, width = (side // stride * stride for side in picture.shape[:2])
    windows = sliding_window_view(picture[:height, :width], (size, size), (0, 1))
    windows = windows[::stride, ::stride]
    rows, columns = windows.shape[:2]
    vectors = windows.reshape(rows * columns, -1)
    mean = vectors.mean(0)
    _, axes = np.linalg.eigh(np.cov(vectors[::3], rowvar=False))
    kept = axes[:, -int(rng.integers(4, 10)) :].astype(np.float32)
    step = rng.uniform(0.15, 0.4)
    codes = np.round((vectors - mean) @ kept / step) * step
    patches = (codes @ kept.T + mean).reshape(rows, columns, 3, size, size)
    total = np.zeros((height, width, 3), np.float32)
    count = np.zeros((height, width, 1), np.float32)
    for dy in range(size):
        for dx in range(size):
            at = np.s_[dy : dy + rows * stride : stride, dx : dx + columns * stride : stride]
            total[at] += patches[..., dy, dx]
            count[at] += 1
    return _everywhere(resize(np.asarray(total / count, np.float32), picture.shape[:2], "linear"))


def regrain(picture: Float32, rng: np.random.Generator) -> Manipulated:
    """Total-variation denoising (Chambolle 2004), then film-like grain of its own size."""
    smooth = denoise_tv_chambolle(
        picture, weight=rng.uniform(0.1, 0.25), channel_axis=-1, max_num_iter=30
    )
    grain = rng.standard_normal((*picture.shape[:2], 1), dtype=np.float32)
    grain = blur(grain, rng.uniform(0.7, 1.2))
    return _everywhere(smooth + grain / grain.std() * rng.uniform(0.05, 0.1))


def resampling(picture: Float32, rng: np.random.Generator) -> Manipulated:
    """A small, slightly turned copy enlarged 2 to 4 times, then oversharpened."""
    height, width = picture.shape[:2]
    factor = rng.uniform(2, 4)
    small = resize(picture, (round(height / factor), round(width / factor)), "box")
    angle = rng.choice((-1, 1)) * rng.uniform(2, 8)
    turned = ndimage.rotate(small, angle, reshape=False, order=1, mode="mirror")
    large = resize(turned, (height, width), "lanczos")
    return _everywhere(large + rng.uniform(1.5, 3) * (large - blur(large, factor / 2)))


def double_jpeg(picture: Float32, rng: np.random.Generator) -> Manipulated:
    """A first, coarse JPEG whose 8 x 8 grid is out of step with the file's own."""
    dy, dx = rng.integers(1, 8, 2)
    shifted = np.pad(picture, ((dy, 0), (dx, 0), (0, 0)), mode="reflect")
    return _everywhere(through_jpeg(shifted, int(rng.integers(6, 18)))[dy:, dx:])


def tone_transfer(picture: Float32, donor: Float32, rng: np.random.Generator) -> Manipulated:
    """The colour histogram of another picture, local contrast with halos, few tones."""
    matched = match_histograms(picture, donor, channel_axis=-1).astype(np.float32)
    local = matched + rng.uniform(0.8, 1.6) * (matched - blur(matched, rng.uniform(6, 14)))
    tones = int(rng.integers(6, 14))
    return _everywhere(np.round(local * tones) / tones)
