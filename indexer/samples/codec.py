"""JPEG and PNG bytes of the sample images."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from indexer.samples.pixels import to_bytes, to_picture
from indexer.types import RGB, Float32


def encode_jpeg(pixels: RGB, quality: int) -> bytes:
    """Baseline JPEG with 4:2:0 chroma at this quality (1 to 95)."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def encode_png(pixels: RGB) -> bytes:
    """PNG, lossless."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def decode(file: bytes | Path) -> RGB:
    """The pixels of a colour or grey file that we ship or wrote, as RGB."""
    with Image.open(io.BytesIO(file) if isinstance(file, bytes) else file) as image:
        return np.asarray(image.convert("RGB"), np.uint8)


def through_jpeg(picture: Float32, quality: int) -> Float32:
    """What a JPEG of this quality leaves of a picture."""
    return to_picture(decode(encode_jpeg(to_bytes(picture), quality)))
