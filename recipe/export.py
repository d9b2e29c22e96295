"""The trained ViT as a checkpoint directory: fp16 weights, config, preprocessing."""

import json
from copy import deepcopy
from pathlib import Path

from transformers import ViTForImageClassification

PREPROCESSING = {
    "image_processor_type": "ViTImageProcessor",
    "do_convert_rgb": True,
    "do_resize": True,
    "size": {"shortest_edge": 256},
    "resample": 3,
    "do_center_crop": True,
    "crop_size": {"height": 224, "width": 224},
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
}
"""Shorter edge 256 (bicubic), centre crop 224, ImageNet constants, as DINOv2's own."""


def export(model: ViTForImageClassification, directory: Path) -> None:
    """Write `model.safetensors`, `config.json` and `preprocessor_config.json`."""
    deepcopy(model).half().save_pretrained(directory)
    (directory / "model.safetensors").chmod(0o644)  # safetensors writes for the owner alone
    text = json.dumps(PREPROCESSING, indent=2) + "\n"
    (directory / "preprocessor_config.json").write_text(text)
