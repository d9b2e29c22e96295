"""The preprocessing recipe: from an upright RGB image to the pixels that a model sees.

The recipe is part of an encoder's identity (its JSON stands in the passport), so it holds
everything that changes a pixel: size, resampling filter, crop, scale and normalisation.
Resampling is Pillow's antialiased resize, as in the PIL image processors of transformers.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

import numpy as np
from PIL import Image

from indexer.errors import CheckpointError, ImageRejected
from indexer.types import RGB, Float32

GREY = 128
"""The level of all channels of a picture, or a part of one, that shows nothing."""

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
HALF = (0.5, 0.5, 0.5)

_LEGACY_DEFAULTS: dict[str, Any] = {
    "do_resize": True,
    "do_center_crop": False,
    "do_rescale": True,
    "do_normalize": True,
    "resample": 2,
    "rescale_factor": 1 / 255,
    "image_mean": HALF,
    "image_std": HALF,
}
"""What transformers' ViT image processor assumes for a key that its file leaves out."""

_CLIP_DEFAULTS: dict[str, Any] = {
    **_LEGACY_DEFAULTS,
    "do_center_crop": True,
    "resample": 3,
    "size": {"shortest_edge": 224},
    "crop_size": 224,
    "image_mean": (0.48145466, 0.4578275, 0.40821073),
    "image_std": (0.26862954, 0.26130258, 0.27577711),
}
"""The same for the CLIP and BiT (DINOv2) image processors."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How pixels become model input.

    `resize` is the length of the shorter edge, an exact (height, width), or None to keep
    the image's own pixels; `resample` names Pillow's filter ("bilinear", "bicubic", ...);
    `crop` is the centre crop (height, width) taken after the resize, or None; then
    `(pixel * rescale - mean) / std` per channel.

    Every image must come out in one size, or a batch could not be formed: a recipe that
    leaves the output size open, or whose crop is larger than its resize and would be
    filled up with black, raises CheckpointError.
    """

    resize: int | tuple[int, int] | None
    resample: str
    crop: tuple[int, int] | None
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    rescale: float = 1 / 255

    def __post_init__(self) -> None:
        if self.resample.upper() not in Image.Resampling.__members__:
            known = ", ".join(name.lower() for name in Image.Resampling.__members__)
            raise CheckpointError(
                f"resampling filter {self.resample!r}", expected=f"one of {known}"
            )
        if self.crop is None and not isinstance(self.resize, tuple):
            raise CheckpointError(
                "a recipe without centre crop, whose output size depends on the image",
                expected="a crop, or an exact height and width to resize to",
                do='set "do_center_crop": true beside "crop_size" in preprocessor_config.json',
            )
        if self.crop is not None and self.resize is not None:
            smallest = self.resize if isinstance(self.resize, tuple) else (self.resize,) * 2
            if self.crop[0] > smallest[0] or self.crop[1] > smallest[1]:
                raise CheckpointError(
                    f"a crop of {self.crop} after a resize to {self.resize}, which would pad",
                    expected="a crop no larger than the resized image",
                )

    @property
    def output_size(self) -> tuple[int, int]:
        """Height and width of the model input."""
        return cast("tuple[int, int]", self.crop or self.resize)  # __post_init__ saw to it

    def to_json(self) -> str:
        """Canonical form: sorted keys, no blanks; equal recipes give equal text."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Recipe":
        """Read what `to_json` wrote."""
        fields = json.loads(text)
        sequences = {key: tuple(v) for key, v in fields.items() if isinstance(v, list)}
        return cls(**{**fields, **sequences})

    @classmethod
    def from_processor_config(cls, config: Mapping[str, Any]) -> "Recipe":
        """Read transformers' `preprocessor_config.json`, current or legacy (int `size`).

        Keys that the file leaves out take the defaults of the processor class it names.
        """
        kind = str(config.get("image_processor_type") or config.get("feature_extractor_type") or "")
        defaults = _CLIP_DEFAULTS if kind.startswith(("CLIP", "Bit")) else _LEGACY_DEFAULTS
        fields = {**defaults, **{key: value for key, value in config.items() if value is not None}}
        if fields["do_resize"] and "size" not in fields:
            raise CheckpointError(
                "a preprocessor config without size", expected='"size" to resize to'
            )
        square = not kind.startswith(("CLIP", "Bit"))
        normalise = fields["do_normalize"]
        return cls(
            resize=_resize(fields["size"], square=square) if fields["do_resize"] else None,
            resample=Image.Resampling(fields["resample"]).name.lower(),
            crop=_height_width(fields["crop_size"]) if fields["do_center_crop"] else None,
            mean=_three(fields["image_mean"]) if normalise else (0.0, 0.0, 0.0),
            std=_three(fields["image_std"]) if normalise else (1.0, 1.0, 1.0),
            rescale=float(fields["rescale_factor"]) if fields["do_rescale"] else 1.0,
        )


_MARGIN = 4096
"""Resized pixels kept around a crop; any image up to about 20 times as long as wide is whole."""


def resized_size(height: int, width: int, recipe: Recipe) -> tuple[int, int]:
    """Height and width after the recipe's resize; the longer edge is rounded down.

    As `torchvision.transforms.Resize` and transformers compute it.
    """
    if recipe.resize is None:
        return height, width
    if isinstance(recipe.resize, tuple):
        return recipe.resize
    edge = recipe.resize
    if width <= height:
        return int(edge * height / width), edge
    return edge, int(edge * width / height)


def crop_offset(resized: tuple[int, int], recipe: Recipe) -> tuple[int, int]:
    """Top and left of the centre crop in the resized image.

    Raises ImageRejected ("too-small") when a recipe that keeps the image's own pixels
    meets an image smaller than its crop: filling up with black would be a lie.
    """
    height, width = recipe.output_size
    if resized[0] < height or resized[1] < width:
        raise ImageRejected(
            "too-small",
            f"an image of {resized[1]}x{resized[0]} pixels",
            expected=f"at least {width}x{height} pixels, which this checkpoint crops unscaled",
        )
    return (resized[0] - height) // 2, (resized[1] - width) // 2


def preprocess(rgb: RGB, recipe: Recipe) -> Float32:
    """(H, W, 3) uint8 -> (3, height, width) float32, the model input for one image.

    Equal to the PIL image processors of transformers; raises ImageRejected ("too-small").
    """
    resized = resized_size(rgb.shape[0], rgb.shape[1], recipe)
    height, width = recipe.output_size
    top, left = crop_offset(resized, recipe)
    if resized == rgb.shape[:2]:
        pixels = rgb[top : top + height, left : left + width]
    else:
        pixels = _resample(rgb, resized, (top, left), recipe)
    return normalise(pixels, recipe)


def normalise(pixels: RGB, recipe: Recipe) -> Float32:
    """(height, width, 3) uint8 -> (3, height, width) float32: rescaled, mean and std taken out."""
    levels = (np.arange(256) * recipe.rescale).astype(np.float32)[:, None]
    mean, std = np.array(recipe.mean, np.float32), np.array(recipe.std, np.float32)
    table = (levels - mean) / std  # a pixel has one of 256 levels: computed once, looked up
    return np.stack([table[pixels[..., channel], channel] for channel in range(3)])


def _resample(rgb: RGB, resized: tuple[int, int], offset: tuple[int, int], recipe: Recipe) -> RGB:
    """The crop at `offset` of the image resized to `resized`: Pillow's own resize, then a cut.

    Of a long strip, only the crop and `_MARGIN` around it is resized: a 16 x 5,000,000
    image would need gigabytes. Pillow's `box` is that part in fractions of source pixels.
    """
    (source_height, source_width), (height, width) = rgb.shape[:2], recipe.output_size
    top, bottom = max(0, offset[0] - _MARGIN), min(resized[0], offset[0] + height + _MARGIN)
    left, right = max(0, offset[1] - _MARGIN), min(resized[1], offset[1] + width + _MARGIN)
    box = (
        left * source_width / resized[1],
        top * source_height / resized[0],
        right * source_width / resized[1],
        bottom * source_height / resized[0],
    )
    resample = Image.Resampling[recipe.resample.upper()]
    part = Image.fromarray(rgb).resize((right - left, bottom - top), resample, box=box)
    row, column = offset[0] - top, offset[1] - left
    return np.asarray(part)[row : row + height, column : column + width]


def _resize(size: int | Mapping[str, int | None], *, square: bool) -> int | tuple[int, int]:
    if isinstance(size, int):
        return (size, size) if square else size
    match {key: value for key, value in size.items() if value is not None}:
        case {"shortest_edge": edge, **rest} if not rest:
            return edge
        case {"height": height, "width": width, **rest} if not rest:
            return height, width
    raise CheckpointError(
        f"preprocessor size {size!r}", expected='an int, "shortest_edge", or "height" and "width"'
    )


def _height_width(size: int | Mapping[str, int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size["height"], size["width"])


def _three(values: Iterable[float]) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue
