"""The preprocessing recipe that a checkpoint directory states."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from indexer.checkpoints.values import PROCESSOR, Architecture, Layout
from indexer.errors import CheckpointError
from indexer.images.recipe import IMAGENET_MEAN, IMAGENET_STD, Recipe

_COMMUNITY_FORENSICS_EDGE = {384: 440, 224: 256}
"""Input size -> shorter edge before the crop, in the authors' test transform."""


def read_recipe(
    layout: Layout, config: Mapping[str, Any], architecture: Architecture, directory: Path
) -> Recipe:
    """The recipe of a directory in `layout`. Raises CheckpointError when it states none."""
    if layout == "community-forensics":
        return community_forensics(architecture.image_size)
    if layout == "timm":
        return timm_recipe(config.get("pretrained_cfg", {}))
    path = directory / PROCESSOR
    if not path.is_file():
        raise CheckpointError(
            f"{directory} has no {PROCESSOR}",
            expected="the preprocessing that the checkpoint was trained with",
            do="copy that file from the checkpoint's repository",
        )
    return Recipe.from_processor_config(json.loads(path.read_text(encoding="utf-8")))


def community_forensics(size: int) -> Recipe:
    """The authors' test transform: bilinear, centre crop, ImageNet constants.

    The class stores no preprocessing, and timm's defaults for the architecture are not
    what training used (https://github.com/JeongsooP/Community-Forensics, dataloader.py).
    """
    if size not in _COMMUNITY_FORENSICS_EDGE:
        raise CheckpointError(
            f"a Community Forensics checkpoint for {size} pixels", expected="384 or 224"
        )
    edge = _COMMUNITY_FORENSICS_EDGE[size]
    return Recipe(edge, "bilinear", (size, size), IMAGENET_MEAN, IMAGENET_STD)


def timm_recipe(config: Mapping[str, Any]) -> Recipe:
    """timm's evaluation transform for a `pretrained_cfg`.

    The shorter edge becomes floor(input size / crop_pct), then the centre is cropped; crop
    mode "squash" resizes both edges instead.
    """
    needed = {"input_size", "mean", "std"}
    if not needed <= config.keys():
        raise CheckpointError(
            f"a timm pretrained_cfg without {', '.join(sorted(needed - config.keys()))}",
            expected="its preprocessing",
        )
    _, height, width = config["input_size"]
    crop_pct, mode = float(config.get("crop_pct", 0.875)), config.get("crop_mode", "center")
    if height != width or mode not in ("center", "squash"):
        raise CheckpointError(
            f"timm input {height}x{width} with crop mode {mode!r}", expected="a square centre crop"
        )
    edge = math.floor(height / crop_pct)
    red, green, blue = (float(value) for value in config["mean"])
    deviation_red, deviation_green, deviation_blue = (float(value) for value in config["std"])
    return Recipe(
        resize=(edge, edge) if mode == "squash" else edge,
        resample=str(config.get("interpolation", "bicubic")),
        crop=(height, width),
        mean=(red, green, blue),
        std=(deviation_red, deviation_green, deviation_blue),
    )
