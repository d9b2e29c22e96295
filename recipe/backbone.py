"""A DINOv2 backbone's first layers as a plain transformers ViT.

DINOv2 (Oquab et al. 2023, arXiv 2304.07193) differs from a ViT by a learned scale on the
output of each attention and MLP block, and by position embeddings for 37 x 37 patches.
The scale folds into the block's last linear map; the position embeddings are resampled
as transformers' `Dinov2Embeddings` does it.
"""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import Dinov2Config, ViTConfig, ViTForImageClassification

LABELS = {0: "real", 1: "fake"}


def vit_config(source: Dinov2Config, layers: int, image_size: int) -> ViTConfig:
    """The ViT that computes what the first `layers` layers of `source` compute."""
    return ViTConfig(
        hidden_size=source.hidden_size,
        num_hidden_layers=layers,
        num_attention_heads=source.num_attention_heads,
        intermediate_size=source.hidden_size * source.mlp_ratio,
        hidden_act=source.hidden_act,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        layer_norm_eps=source.layer_norm_eps,
        image_size=image_size,
        patch_size=source.patch_size,
        qkv_bias=source.qkv_bias,
        id2label=LABELS,
        label2id={label: index for index, label in LABELS.items()},
    )


def vit_tensors(backbone: dict[str, Tensor], config: ViTConfig) -> dict[str, Tensor]:
    """DINOv2 tensors (with or without the prefix `dinov2.`) to ViT ones, classic names."""
    source = {name.removeprefix("dinov2."): tensor.float() for name, tensor in backbone.items()}
    patches = "embeddings.patch_embeddings.projection"
    tensors = {
        "embeddings.cls_token": source["embeddings.cls_token"],
        "embeddings.position_embeddings": _resampled(
            source["embeddings.position_embeddings"], config.image_size // config.patch_size
        ),
        **{f"{patches}.{part}": source[f"{patches}.{part}"] for part in ("weight", "bias")},
        **{f"layernorm.{part}": source[f"layernorm.{part}"] for part in ("weight", "bias")},
    }
    for layer in range(config.num_hidden_layers):
        prefix = f"encoder.layer.{layer}."
        block = {
            name.removeprefix(prefix): tensor
            for name, tensor in source.items()
            if name.startswith(prefix)
        }
        tensors |= {f"{prefix}{name}": tensor for name, tensor in _folded(block).items()}
    return {f"vit.{name}": tensor.contiguous() for name, tensor in tensors.items()}


def _folded(block: dict[str, Tensor]) -> dict[str, Tensor]:
    """One DINOv2 block's tensors, renamed, with both layer scales folded in."""
    names = {
        "norm1": "layernorm_before",
        "norm2": "layernorm_after",
        "attention.attention.query": "attention.attention.query",
        "attention.attention.key": "attention.attention.key",
        "attention.attention.value": "attention.attention.value",
        "mlp.fc1": "intermediate.dense",
    }
    scaled = {
        "attention.output.dense": ("attention.output.dense", block["layer_scale1.lambda1"]),
        "mlp.fc2": ("output.dense", block["layer_scale2.lambda1"]),
    }
    folded = {
        f"{new}.{part}": block[f"{old}.{part}"]
        for old, new in names.items()
        for part in ("weight", "bias")
    }
    for old, (new, scale) in scaled.items():
        folded[f"{new}.weight"] = block[f"{old}.weight"] * scale[:, None]
        folded[f"{new}.bias"] = block[f"{old}.bias"] * scale
    return folded


def _resampled(positions: Tensor, side: int) -> Tensor:
    """(1, 1 + n * n, dim) position embeddings to (1, 1 + side * side, dim)."""
    count, dim = positions.shape[1] - 1, positions.shape[2]
    grid = positions[:, 1:].reshape(1, round(count**0.5), -1, dim).permute(0, 3, 1, 2)
    resized = torch.nn.functional.interpolate(grid, (side, side), mode="bicubic")
    return torch.cat([positions[:, :1], resized.permute(0, 2, 3, 1).reshape(1, -1, dim)], 1)


def convert(directory: Path, layers: int = 8, image_size: int = 224) -> ViTForImageClassification:
    """The ViT of a local DINOv2 checkpoint (`config.json`, `model.safetensors`).

    Its classifier is new and all zero. Hidden states equal the source's to 1e-5.
    """
    config = vit_config(Dinov2Config.from_pretrained(directory), layers, image_size)
    tensors = vit_tensors(load_file(directory / "model.safetensors"), config)
    tensors["classifier.weight"] = torch.zeros(config.num_labels, config.hidden_size)
    tensors["classifier.bias"] = torch.zeros(config.num_labels)
    model = ViTForImageClassification.from_pretrained(None, config=config, state_dict=tensors)
    return model.eval()
