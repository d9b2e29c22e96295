"""Untrusted bytes -> one upright RGB image and its facts, or a reject with its reason."""

import hashlib
import io
import struct
from dataclasses import dataclass

import numpy as np
from PIL import ExifTags, Image, TiffImagePlugin, UnidentifiedImageError

from indexer.errors import ImageRejected
from indexer.images.convert import to_rgb
from indexer.images.jpeg import baseline_jpeg
from indexer.images.limits import PILLOW_PIXELS, Limits
from indexer.images.signatures import allowed_format, unsupported_format
from indexer.types import RGB, ImageFacts

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "AVIF")
"""Pillow's names of the decoders that may see untrusted bytes. HEIF is not among them: Pillow
has no decoder for it, and another native parser is another way in."""

_EXPECTED = "JPEG, PNG, WebP, TIFF, GIF, BMP or AVIF"

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation (CIPA DC-008, tag 0x0112) -> what turns the stored pixels upright."""

DAMAGE = (
    OSError,  # every decoder; UnidentifiedImageError and "truncated" are of this type
    SyntaxError,  # PNG chunks
    ValueError,  # PNG and TIFF fields
    TypeError,  # TIFF: a later page without dimensions
    IndexError,  # GIF: cut between frames
    struct.error,  # GIF: cut within a frame header
    RuntimeError,  # AVIF: the decoder's own words
)
"""What Pillow raises on damaged bytes, as found with 115,000 mutants of 21 files. Caught only
around Pillow's own calls, so that a mistake in our code is never taken for a damaged image."""


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """`rgb` (height, width, 3) uint8, upright, owned by the caller; `facts` of the bytes."""

    rgb: RGB
    facts: ImageFacts


def sha256(data: bytes) -> str:
    """The identity of an image: sha256 of its bytes, 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def decode(data: bytes, limits: Limits = Limits()) -> DecodedImage:  # noqa: B008 frozen value
    """Decode the first frame to upright RGB (`indexer.images.convert` has the colour rules).

    In this order, so that nothing costs more than it must: bytes counted, format checked
    against `FORMATS`, header parsed, pixels counted, and only then decoded. A truncated file is
    refused, never padded. EXIF that cannot be parsed counts as none.
    Raises ImageRejected with one of `REASONS`.
    """
    if not data:
        raise ImageRejected("empty", "a file of zero bytes", expected=_EXPECTED)
    check_bytes(len(data), limits)
    with _opened(data, limits) as image:
        _check_pixels(image, limits)
        stored_format, stored_mode = image.format or "", image.mode
        orientation = _orientation(image)
        if (pixels := baseline_jpeg(data, image)) is not None:
            turn = _UPRIGHT.get(orientation)
            rgb = pixels if turn is None else np.array(Image.fromarray(pixels).transpose(turn))
        else:
            _load(image)
            turn = _UPRIGHT.get(_orientation(image))  # the TIFF decoder has turned it already
            rgb = to_rgb(image if turn is None else image.transpose(turn))
        animated = _animated(image, limits)
    height, width = rgb.shape[:2]
    facts = ImageFacts(
        sha256(data), len(data), stored_format, stored_mode, width, height, orientation, animated
    )
    return DecodedImage(rgb, facts)


def check_bytes(count: int, limits: Limits) -> None:
    """Raises ImageRejected ("too-many-bytes") for a file of `count` bytes over the limit."""
    if count > limits.max_bytes:
        raise ImageRejected(
            "too-many-bytes",
            f"a file of {count:,} bytes or more",
            expected=f"at most {limits.max_bytes:,}",
            do="save it smaller, or raise the byte limit",
        )


def _opened(data: bytes, limits: Limits) -> Image.Image:
    # Up to twice its threshold Pillow only warns; `_check_pixels` refuses what it lets through.
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels(f"more than {PILLOW_PIXELS:,} pixels", limits) from error
    except UnidentifiedImageError as error:
        raise _unidentified(data) from error
    except DAMAGE as error:
        raise _damaged(allowed_format(data) or "image", error) from error


def _load(image: Image.Image) -> None:
    """Decode the first frame in place."""
    try:
        image.load()
    except DAMAGE as error:
        raise _damaged(image.format or "image", error) from error


def _animated(image: Image.Image, limits: Limits) -> bool:
    """Whether a second frame or page follows. To count them all would read millions of them."""
    try:
        image.seek(1)
    except EOFError:
        return False
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(f"a second frame of more than {PILLOW_PIXELS:,}", limits) from error
    except DAMAGE as error:
        raise _damaged(image.format or "image", error) from error
    return True


def _check_pixels(image: Image.Image, limits: Limits) -> None:
    width, height = image.size
    pixels = max(width * height, _tile_pixels(image))
    if pixels > limits.max_pixels:
        raise _too_many_pixels(f"{width} x {height} pixels, {pixels:,} to decode", limits)
    if min(width, height) < limits.min_side:
        raise ImageRejected(
            "too-small",
            f"{width} x {height} pixels",
            expected=f"{limits.min_side} or more on the shorter side",
        )


def _tile_pixels(image: Image.Image) -> int:
    """Pixels of one TIFF tile: a small image may declare a huge one, and it is decoded whole."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return 0
    width = image.tag_v2.get(TiffImagePlugin.TILEWIDTH, 0)
    length = image.tag_v2.get(TiffImagePlugin.TILELENGTH, 0)
    if not (isinstance(width, int) and isinstance(length, int)):
        raise _damaged("TIFF", ValueError(f"tiles of {width!r} x {length!r}"))
    return width * length


def _orientation(image: Image.Image) -> int:
    """EXIF orientation 1..8; 1 where there is none or the EXIF block is damaged."""
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except DAMAGE:
        return 1
    return value if value in _UPRIGHT else 1


def _too_many_pixels(found: str, limits: Limits) -> ImageRejected:
    expected = f"at most {limits.max_pixels:,}"
    return ImageRejected("too-many-pixels", found, expected=expected, do="scale it down")


def _unidentified(data: bytes) -> ImageRejected:
    if name := allowed_format(data):
        return ImageRejected(
            "decode-error", f"{name} data whose header cannot be read", do="get an undamaged copy"
        )
    if name := unsupported_format(data):
        return ImageRejected(
            "unsupported-format",
            f"the format {name}",
            expected=_EXPECTED,
            do="convert it to PNG without loss",
        )
    return ImageRejected("not-an-image", f"bytes that begin with {data[:8]!r}", expected=_EXPECTED)


def _damaged(name: str, error: Exception) -> ImageRejected:
    # Pillow has no exception of its own for a cut file, but says "truncated" where it can tell.
    reason = "truncated" if "truncated" in str(error).lower() else "decode-error"
    return ImageRejected(reason, f"damaged {name} data: {error}", do="get an undamaged copy")
