"""Any Pillow mode to 8-bit RGB."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from indexer.errors import ImageRejected
from indexer.types import RGB


def to_rgb(image: Image.Image) -> RGB:
    """(height, width, 3) uint8, a fresh array.

    - Transparency (an alpha channel, a transparent palette entry or colour) is laid over
      white, as a viewer shows it: colour hidden where nothing is visible must not move a
      score. Opaque images are what Pillow's `convert("RGB")` gives.
    - 16-bit grey is scaled, round(v * 255 / 65535) (PNG specification, 13.12), where
      `convert` would clip every value above 255. 16-bit colour is reduced by the decoders.
    - 32-bit integers and floats have no agreed white: floats within [0, 1] are scaled by
      255, everything else from its own minimum..maximum to 0..255.
    - LAB goes to sRGB with littleCMS; CMYK and YCbCr by Pillow's formulas.
    - Embedded ICC profiles are not applied: image classifiers are trained on the stored
      values, so applying one here would show the checkpoint colours it was not trained on.

    Raises ImageRejected ("decode-error") for floats that are not finite.
    """
    if image.mode.startswith("I;16"):
        return _grey((np.asarray(image).astype(np.uint32) * 255 + 32767) // 65535)
    if image.mode in ("I", "F"):
        return _grey(_stretched(np.asarray(image).astype(np.float64), image.mode == "F"))
    if image.mode == "LAB":
        return np.array(ImageCms.applyTransform(image, _lab_to_srgb()))
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        paper = Image.new("RGBA", layer.size, "white")
        return np.array(Image.alpha_composite(paper, layer).convert("RGB"))
    return np.array(image.convert("RGB"))


def _grey(values: NDArray[np.generic]) -> RGB:
    return np.repeat(values.astype(np.uint8)[..., None], 3, axis=2)


def _stretched(values: NDArray[np.float64], may_be_unit: bool) -> NDArray[np.float64]:
    low, high = float(values.min()), float(values.max())
    if not np.isfinite((low, high)).all():
        raise ImageRejected(
            "decode-error", "pixels that are not finite numbers", do="save it with 8 or 16 bits"
        )
    if may_be_unit and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    return np.rint((values - low) / ((high - low) or 1.0) * 255.0)


def _lab_to_srgb() -> ImageCms.ImageCmsTransform:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(lab, srgb, "LAB", "RGB")
