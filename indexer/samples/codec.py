"""JPEG and PNG bytes, through imageio (it comes with scikit-image)."""

import io
from pathlib import Path

import imageio.v3 as iio
import numpy as np

from indexer.samples.pixels import to_bytes, to_picture
from indexer.types import RGB, Float32


def encode_jpeg(pixels: RGB, quality: int) -> bytes:
    """Baseline JPEG with 4:2:0 chroma at this quality (1 to 95)."""
    buffer = io.BytesIO()
    iio.imwrite(buffer, pixels, extension=".jpg", quality=quality)
    return buffer.getvalue()


def encode_png(pixels: RGB) -> bytes:
    """PNG, lossless."""
    buffer = io.BytesIO()
    iio.imwrite(buffer, pixels, extension=".png", compress_level=1)
    return buffer.getvalue()


def decode(file: bytes | Path) -> RGB:
    """The pixels of a colour or grey file, as RGB."""
    return np.asarray(iio.imread(file, mode="RGB"), np.uint8)


def through_jpeg(picture: Float32, quality: int) -> Float32:
    """What a JPEG of this quality leaves of a picture."""
    return to_picture(decode(encode_jpeg(to_bytes(picture), quality)))
