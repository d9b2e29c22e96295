"""Small previews, so that a gallery stays browsable when its originals are offline."""

import io

from PIL import Image

from indexer.types import RGB

MAX_BYTES = 6 * 1024
MAX_EDGE = 256
DOCUMENT_EDGE = 1024
_QUALITIES = (75, 50, 30, 15)


def thumbnail(rgb: RGB) -> bytes:
    """A WebP of at most 6 KiB for any (height, width, 3) uint8 image.

    The longest edge is at most 256 pixels (never enlarged). Quality steps down until it
    fits; an image that does not fit at the lowest (noise) is halved and tried again.
    """
    image = Image.fromarray(rgb)
    image.thumbnail((MAX_EDGE, MAX_EDGE), Image.Resampling.LANCZOS)
    while True:
        for quality in _QUALITIES:
            encoded = _webp(image, quality)
            if len(encoded) <= MAX_BYTES:
                return encoded
        image = image.reduce(2)


def preview(rgb: RGB) -> bytes:
    """A WebP of a (height, width, 3) uint8 image for a document: the longest edge at most 1,024
    pixels, never enlarged."""
    image = Image.fromarray(rgb)
    image.thumbnail((DOCUMENT_EDGE, DOCUMENT_EDGE), Image.Resampling.LANCZOS)
    return _webp(image, _QUALITIES[0])


def _webp(image: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=quality, method=2)
    return buffer.getvalue()
