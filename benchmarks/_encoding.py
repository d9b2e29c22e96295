"""What the encoding benchmarks share: checkpoints with random weights, photographs, the machine."""

import json
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import ViTConfig
from transformers.models.vit.modeling_vit import ViTForImageClassification

RESULTS = Path(__file__).parent / "results"


def write_checkpoint(folder: Path, size: int, patch: int, hidden: int, layers: int) -> Path:
    """A transformers ViT with seeded random weights and heads of 64, bilinear to `size`."""
    torch.manual_seed(0)
    config = ViTConfig(
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=hidden // 64,
        intermediate_size=4 * hidden,
        image_size=size,
        patch_size=patch,
        id2label={0: "real", 1: "fake"},
        label2id={"real": 0, "fake": 1},
    )
    ViTForImageClassification(config).save_pretrained(folder)
    processor = {
        "image_processor_type": "ViTImageProcessor",
        "do_resize": True,
        "size": {"height": size, "width": size},
        "resample": 2,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(processor), encoding="utf-8")
    return folder


def write_photographs(folder: Path, count: int, height: int, width: int) -> list[Path]:
    """JPEGs (quality 90, 4:2:0) of 1/f noise, whose bytes per pixel are those of photographs.

    One picture, shifted, so that all differ and take the same time."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    down, across = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    frequency = np.maximum(np.hypot(down, across), 1 / max(height, width))[..., None] ** 1.3
    spectrum = rng.normal(size=(height, width // 2 + 1, 3, 2)) @ [1, 1j] / frequency
    values = np.fft.irfft2(spectrum, (height, width), axes=(0, 1))
    picture = np.clip(128 + 50 * values / values.std(axis=(0, 1)), 0, 255).astype(np.uint8)
    paths = [folder / f"{number:06}.jpg" for number in range(count)]
    for number, path in enumerate(paths):
        shifted = np.roll(picture, (number // width, number % width), (0, 1))
        mark = str(number).encode()  # a comment: small pictures repeat after a while
        Image.fromarray(shifted).save(path, quality=90, comment=mark)
    return paths


def machine() -> dict[str, Any]:
    """Processor, cores and the versions that compute."""
    info = Path("/proc/cpuinfo")
    names = [line.split(":")[1].strip() for line in info.read_text().splitlines() if "name" in line]
    packages = ("torch", "transformers", "openvino", "nncf", "pillow", "simplejpeg")
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def write_result(name: str, result: dict[str, Any]) -> None:
    """Keep what was measured, with the machine named."""
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({"machine": machine(), **result}, indent=1)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")
