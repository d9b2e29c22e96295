"""Decoding: pixels against Pillow's own, facts by hand, limits and reasons at their edges."""

import hashlib
import io
import warnings

import numpy as np
import pytest
from hostile import encode, picture
from PIL import Image, ImageOps

from indexer.errors import ImageRejected, UsageError
from indexer.images import REASONS, Limits, decode, sha256
from indexer.images.jpeg import baseline_jpeg
from indexer.images.limits import PILLOW_PIXELS
from indexer.types import ImageFacts


def reason(data: bytes, limits: Limits) -> str:
    with pytest.raises(ImageRejected) as caught:
        decode(data, limits)
    assert caught.value.reason in REASONS
    assert caught.value.found
    return caught.value.reason


@pytest.mark.parametrize("name", ["PNG", "BMP", "TIFF", "GIF", "JPEG", "WEBP", "AVIF"])
def test_every_allowed_format_gives_what_pillow_gives(name):
    data = encode(picture(1), name)
    decoded = decode(data)
    expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    assert np.array_equal(decoded.rgb, expected)
    assert decoded.rgb.dtype == np.uint8
    assert decoded.rgb.flags.writeable
    assert decoded.rgb.flags.c_contiguous
    mode = "P" if name == "GIF" else "RGB"
    digest = hashlib.sha256(data).hexdigest()
    assert decoded.facts == ImageFacts(digest, len(data), name, mode, 64, 48, 1, False)
    assert sha256(data) == digest


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_exactly_once(name, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(picture(2), name, exif=exif)
    decoded = decode(data)
    assert np.array_equal(
        decoded.rgb, np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    )
    assert decoded.rgb.shape[:2] == ((64, 48) if orientation > 4 else (48, 64))
    assert (decoded.facts.height, decoded.facts.width) == decoded.rgb.shape[:2]
    assert decoded.facts.orientation == orientation


def test_orientation_six_turns_the_top_left_corner_to_the_top_right():
    pixels = np.zeros((16, 24, 3), np.uint8)
    pixels[0, 0] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    rgb = decode(encode(Image.fromarray(pixels), "PNG", exif=exif)).rgb
    assert [tuple(at) for at in np.argwhere(rgb[..., 0] == 255)] == [(0, 15)]


@pytest.mark.parametrize("name", ["GIF", "WEBP", "PNG", "TIFF"])
def test_only_the_first_frame_is_used_and_the_count_noted(name):
    options = {"lossless": True} if name == "WEBP" else {}
    first, others = picture(3), [picture(4), picture(5)]
    animated = decode(encode(first, name, save_all=True, append_images=others, **options))
    assert animated.facts.animated
    assert np.array_equal(animated.rgb, decode(encode(first, name, **options)).rgb)


def test_limits_hold_at_their_edges():
    data = encode(picture(6, 40, 30), "PNG")
    fits = Limits(max_bytes=len(data), max_pixels=1200, min_side=30)
    assert decode(data, fits).rgb.shape == (30, 40, 3)
    assert reason(data, Limits(max_bytes=len(data) - 1)) == "too-many-bytes"
    assert reason(data, Limits(max_pixels=1199)) == "too-many-pixels"
    assert reason(data, Limits(min_side=31)) == "too-small"
    for wrong in ({"max_pixels": PILLOW_PIXELS + 1}, {"max_pixels": 0}, {"max_bytes": 0}):
        with pytest.raises(UsageError):
            Limits(**wrong)


def test_our_pixel_limit_is_pillows_threshold():
    assert Image.MAX_IMAGE_PIXELS == PILLOW_PIXELS == Limits().max_pixels


@pytest.mark.parametrize("action", ["error", "ignore"])
def test_between_pillows_warning_and_its_error_we_refuse(action):
    data = bytearray(encode(picture(7), "BMP"))
    data[18:26] = (10_000).to_bytes(4, "little") * 2
    with warnings.catch_warnings():
        warnings.simplefilter(action, Image.DecompressionBombWarning)
        assert reason(bytes(data), Limits()) == "too-many-pixels"


def test_a_mistake_of_ours_is_no_damaged_image(monkeypatch):
    def mistaken(image):
        raise ValueError("ours")

    monkeypatch.setattr("indexer.images.decoding.to_rgb", mistaken)
    with pytest.raises(ValueError, match="ours"):
        decode(encode(picture(8), "PNG"))


def test_a_reject_says_what_was_found_what_was_expected_and_what_to_do():
    with pytest.raises(ImageRejected) as caught:
        decode(encode(picture(9), "JPEG2000"))
    assert str(caught.value) == (
        "the format JPEG 2000; expected JPEG, PNG, WebP, TIFF, GIF, BMP or AVIF; "
        "convert it to PNG without loss"
    )


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"quality": 5}, {"restart_marker_rows": 1}]
)
def test_the_short_way_of_a_jpeg_gives_pillows_pixels(subsampling, options):
    for width, height in ((64, 48), (333, 17), (31, 250)):
        data = encode(picture(width, width, height), "JPEG", subsampling=subsampling, **options)
        with Image.open(io.BytesIO(data)) as image:
            short = baseline_jpeg(data, image)
            expected = np.asarray(image.convert("RGB"))
        assert (short is None) == ("progressive" in options)
        assert short is None or np.array_equal(short, expected)
        assert np.array_equal(decode(data).rgb, expected)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_other_jpegs_go_the_long_way(mode):
    data = encode(picture(3).convert(mode), "JPEG")
    with Image.open(io.BytesIO(data)) as image:
        assert baseline_jpeg(data, image) is None


def test_a_jpeg_stored_as_rgb_is_not_taken_for_ycbcr():
    data = encode(picture(4), "JPEG", keep_rgb=True)
    assert np.array_equal(decode(data).rgb, np.asarray(Image.open(io.BytesIO(data))))
