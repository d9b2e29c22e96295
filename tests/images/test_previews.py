"""Thumbnails: the byte bound for any input, shape, and likeness."""

import io

import numpy as np
import pytest
from hostile import picture
from PIL import Image

from indexer.images import thumbnail
from indexer.images.previews import MAX_BYTES


def opened(rgb: np.ndarray) -> Image.Image:
    data = thumbnail(rgb)
    assert len(data) <= MAX_BYTES == 6144
    image = Image.open(io.BytesIO(data))
    assert image.format == "WEBP"
    return image


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((480, 640), (256, 192)),
        ((640, 480), (192, 256)),
        ((40, 60), (60, 40)),
        ((1, 3000), (256, 1)),
    ],
)
def test_the_longest_edge_is_256_and_small_images_are_not_enlarged(shape, size):
    assert opened(np.full((*shape, 3), 90, np.uint8)).size == size


@pytest.mark.parametrize("size", [17, 100, 256, 700])
def test_noise_fits_too(size):
    rng = np.random.default_rng(size)
    for noise in (rng.integers(0, 256, (size, size, 3)), rng.integers(0, 2, (size, size, 1)) * 255):
        opened(np.broadcast_to(noise, (size, size, 3)).astype(np.uint8))


def test_a_thumbnail_looks_like_its_image():
    image = picture(1, 256, 192).resize((256, 192), Image.Resampling.BICUBIC)
    small = np.asarray(opened(np.asarray(image)).convert("RGB"), float)
    assert np.abs(small - np.asarray(image, float)).mean() < 12


def test_the_input_is_not_altered():
    rgb = np.asarray(picture(2, 300, 300)).copy()
    before = rgb.copy()
    thumbnail(rgb)
    assert np.array_equal(rgb, before)
