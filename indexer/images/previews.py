"""Small previews, so that a gallery stays browsable when its originals are offline."""

import io
from collections.abc import Mapping

from PIL import Image

from indexer.types import RGB

MAX_BYTES = 6 * 1024
MAX_EDGE = 256
DOCUMENT_EDGE = 1024
BEST = 75
_QUALITIES: Mapping[int, float] = {BEST: 1.0, 50: 0.72, 30: 0.52, 15: 0.3}
"""WebP quality -> size in parts of the first one's, at best: tells which are not worth a try."""


def thumbnail(rgb: RGB) -> bytes:
    """A WebP of at most 6 KiB for any (height, width, 3) uint8 image.

    The longest edge is at most 256 pixels (never enlarged). Quality steps down until it
    fits; an image that does not fit at the lowest (noise) is halved and tried again.
    """
    image = Image.fromarray(rgb)
    image.thumbnail((MAX_EDGE, MAX_EDGE), Image.Resampling.LANCZOS)
    while True:
        largest = 0
        for quality, share in _QUALITIES.items():
            if largest * share > MAX_BYTES:
                continue
            encoded = _webp(image, quality)
            if len(encoded) <= MAX_BYTES:
                return encoded
            largest = largest or len(encoded)
        image = image.reduce(2)


def preview(rgb: RGB) -> bytes:
    """A WebP of a (height, width, 3) uint8 image for a document: the longest edge at most 1,024
    pixels, never enlarged."""
    image = Image.fromarray(rgb)
    image.thumbnail((DOCUMENT_EDGE, DOCUMENT_EDGE), Image.Resampling.LANCZOS)
    return _webp(image, BEST)


def _webp(image: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=quality, method=2)
    return buffer.getvalue()
