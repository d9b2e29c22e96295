"""Every mode to RGB, with values computed by hand."""

import numpy as np
import pytest
from hostile import encode, picture
from PIL import Image

from indexer.images import decode


def levels(image: Image.Image, format_name: str = "TIFF") -> np.ndarray:
    """Decoded grey levels; fails unless the three channels are equal."""
    rgb = decode(encode(image, format_name)).rgb
    assert (rgb == rgb[..., :1]).all()
    return rgb[..., 0]


@pytest.mark.parametrize("format_name", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled_and_rounded_not_clipped(format_name):
    ramp = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    expected = np.floor(ramp * 255.0 / 65535.0 + 0.5).astype(np.uint8)
    assert np.array_equal(levels(Image.fromarray(ramp), format_name), expected)


def test_thirty_two_bit_integers_are_stretched_to_their_own_range():
    values = np.full((16, 16), -1000, np.int32)
    values[0, :3] = (4100, 1550, -980)
    expected = np.zeros((16, 16), np.uint8)
    expected[0, :3] = (255, 128, 1)  # 2550 * 255 / 5100 = 127.5, to even; 20 * 255 / 5100 = 1
    assert np.array_equal(levels(Image.fromarray(values)), expected)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((0.25, 0.5, 0.75), (64, 128, 191)),
        ((-1.0, 0.0, 1.0), (0, 128, 255)),
        ((7, 7, 7), (0, 0, 0)),
    ],
)
def test_unit_floats_are_scaled_and_others_stretched(values, expected):
    rows = np.repeat(np.float32(values), 16).reshape(3, 16).repeat(6, axis=0)
    assert [int(level) for level in levels(Image.fromarray(rows))[::6, 0]] == list(expected)


def test_one_bit_is_black_and_white():
    bits = np.indices((16, 16)).sum(axis=0) % 2
    assert np.array_equal(levels(Image.fromarray(bits.astype(bool)), "PNG"), bits * 255)


def test_transparency_is_laid_over_white_and_opaque_pixels_are_kept():
    pixels = np.full((16, 16, 4), (200, 100, 0, 255), np.uint8)
    pixels[0, 0, 3], pixels[0, 1, 3] = 0, 102  # 40 % visible
    rgb = decode(encode(Image.fromarray(pixels, "RGBA"), "PNG")).rgb
    assert rgb[0, 0].tolist() == [255, 255, 255]
    assert rgb[0, 1].tolist() == [233, 193, 153]  # 0.4 * colour + 0.6 * 255
    assert (rgb.reshape(-1, 3)[2:] == (200, 100, 0)).all()


def test_transparent_palette_entries_and_colours_become_white():
    indices = np.zeros((16, 16), np.uint8)
    indices[0, 0] = 1
    paletted = Image.fromarray(indices, "P")
    paletted.putpalette([10, 20, 30, 40, 50, 60])
    rgb = decode(encode(paletted, "PNG", transparency=1)).rgb
    assert rgb[0, 0].tolist() == [255, 255, 255]
    assert (rgb.reshape(-1, 3)[1:] == (10, 20, 30)).all()
    keyed = decode(encode(Image.new("RGB", (16, 16), (1, 2, 3)), "PNG", transparency=(1, 2, 3)))
    assert (keyed.rgb == 255).all()


def test_an_opaque_alpha_channel_changes_nothing():
    image = picture(1)
    assert np.array_equal(decode(encode(image.convert("RGBA"), "PNG")).rgb, np.asarray(image))


def test_print_colours():
    cyan = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    assert (decode(encode(cyan, "TIFF")).rgb == (0, 255, 255)).all()
    rgb = decode(encode(cyan, "JPEG", quality=95)).rgb.astype(int)
    assert np.abs(rgb - (0, 255, 255)).max() <= 2


def test_lab_follows_the_cie_definition():
    # L* = 50, a* = b* = 0 is Y = 0.18419, which sRGB encodes as 118.9 (IEC 61966-2-1).
    grey = Image.merge("LAB", [Image.new("L", (16, 16), level) for level in (128, 128, 128)])
    rgb = decode(encode(grey, "TIFF")).rgb.astype(int)
    assert np.abs(rgb - 119).max() <= 1


def test_an_embedded_profile_is_not_applied():
    image = picture(2)
    plain, profiled = encode(image, "PNG"), encode(image, "PNG", icc_profile=b"any bytes" * 20)
    assert plain != profiled
    assert np.array_equal(decode(plain).rgb, decode(profiled).rgb)
