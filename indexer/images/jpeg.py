"""The short way for the commonest files. The only module that imports simplejpeg."""

import simplejpeg
from PIL import Image

from indexer.types import RGB


def baseline_jpeg(data: bytes, image: Image.Image) -> RGB | None:
    """The stored pixels of a baseline colour JPEG, (height, width, 3) uint8; None for all else.

    libjpeg-turbo with the settings that Pillow uses, so the same pixels, without Pillow's two
    copies. `image` is what Pillow read of the header; its pixels have been counted. Whatever is
    out of the ordinary (progressive, grey, CMYK, a stereo pair, any damage that libjpeg only
    warns of) is left to Pillow, which also says what is wrong with it.
    """
    if image.format != "JPEG" or image.mode != "RGB" or "progressive" in image.info:
        return None
    try:
        pixels: RGB = simplejpeg.decode_jpeg(data, "RGB")
    except ValueError:
        return None
    return pixels if pixels.shape[:2] == (image.height, image.width) else None
