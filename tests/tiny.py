"""Tiny random checkpoints, written to disk in every layout a user may bring.

Each `write_*` fills a directory as the original tools would and returns the source model,
a callable from pixels (n, 3, SIZE, SIZE) to what it would say: logits, or for CLIP tokens.
All are seeded: equal arguments give equal files.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import CLIPConfig, CLIPVisionConfig, Dinov2Config, ViTConfig
from transformers.models.clip.modeling_clip import CLIPModel, CLIPVisionModel
from transformers.models.dinov2.modeling_dinov2 import Dinov2ForImageClassification
from transformers.models.vit.modeling_vit import ViTForImageClassification

HIDDEN, LAYERS, HEADS, MLP, PATCH, SIZE = 128, 4, 2, 256, 8, 32

PROCESSOR = {
    "image_processor_type": "ViTImageProcessor",
    "do_resize": True,
    "size": {"shortest_edge": 40},
    "resample": 2,
    "do_center_crop": True,
    "crop_size": {"height": SIZE, "width": SIZE},
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
}

_SHAPE: dict[str, Any] = {
    "hidden_size": HIDDEN,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "image_size": SIZE,
    "patch_size": PATCH,
}


def write_vit(
    directory: Path,
    *,
    seed: int = 0,
    labels: Sequence[str] = ("real", "fake"),
    v5_keys: bool = False,
    **config: Any,
) -> nn.Module:
    """A transformers ViT with the classic keys, or those of version 5."""
    names = dict(enumerate(labels))
    full = ViTConfig(**_SHAPE, intermediate_size=MLP, id2label=names, **config)
    model = _random(ViTForImageClassification(full), seed)
    model.save_pretrained(directory, save_original_format=not v5_keys)
    write_json(directory / "preprocessor_config.json", PROCESSOR)
    return model


def write_dinov2(
    directory: Path, *, seed: int = 0, labels: Sequence[str] = ("real", "fake"), **config: Any
) -> nn.Module:
    """A Dinov2ForImageClassification."""
    names = dict(enumerate(labels))
    full = Dinov2Config(**{**_SHAPE, "mlp_ratio": 2, "id2label": names, **config})
    model = _random(Dinov2ForImageClassification(full), seed)
    model.save_pretrained(directory)
    processor = {**PROCESSOR, "image_processor_type": "BitImageProcessor"}
    write_json(directory / "preprocessor_config.json", processor)
    return model


def write_clip(directory: Path, *, seed: int = 0, with_text: bool = False) -> nn.Module:
    """A CLIP vision tower, alone or within the whole CLIP model."""
    vision = CLIPVisionConfig(**_SHAPE, intermediate_size=MLP)
    text = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 1}
    text |= {"intermediate_size": 16, "vocab_size": 9, "bos_token_id": 0, "eos_token_id": 1}
    tower: nn.Module
    if with_text:
        whole = CLIPConfig(vision_config=vision.to_dict(), text_config=text, projection_dim=16)
        model = _random(CLIPModel(whole), seed)
        tower = model.vision_model
    else:
        model = tower = _random(CLIPVisionModel(vision), seed)
    model.save_pretrained(directory)
    processor = {**PROCESSOR, "image_processor_type": "CLIPImageProcessor"}
    write_json(directory / "preprocessor_config.json", processor)
    return tower


def write_timm(
    directory: Path, *, seed: int = 0, labels: Sequence[str] = ("real", "fake")
) -> nn.Module:
    """A plain timm ViT: keys without prefix, `architecture` and `pretrained_cfg`."""
    model = _random(TimmViT(len(labels), SIZE, PATCH), seed)
    directory.mkdir(parents=True, exist_ok=True)
    save_file(model.state_dict(), directory / "model.safetensors")
    config = {
        "architecture": "vit_tiny_patch8_32",
        "num_classes": len(labels),
        "num_features": HIDDEN,
        "global_pool": "token",
        "label_names": list(labels),
        "pretrained_cfg": {
            "input_size": [3, SIZE, SIZE],
            "interpolation": "bicubic",
            "crop_pct": 0.8,
            "crop_mode": "center",
            "mean": [0.5, 0.5, 0.5],
            "std": [0.5, 0.5, 0.5],
        },
    }
    write_json(directory / "config.json", config)
    return model


def write_community_forensics(directory: Path, *, seed: int = 0) -> nn.Module:
    """The authors' detector class: timm keys behind `vit.`, one logit, no model_type."""
    model = _random(TimmViT(1, 224, 16), seed)
    directory.mkdir(parents=True, exist_ok=True)
    weights = {f"vit.{name}": tensor for name, tensor in model.state_dict().items()}
    save_file(weights, directory / "model.safetensors")
    config = {"device": "cuda", "freeze_backbone": False, "input_size": 224}
    write_json(directory / "config.json", {**config, "model_size": "small", "patch_size": 16})
    return model


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write one JSON file."""
    path.write_text(json.dumps(content), encoding="utf-8")


def edit_config(directory: Path, **changes: Any) -> None:
    """Change keys of config.json; None removes a key."""
    path = directory / "config.json"
    config = {**json.loads(path.read_text()), **changes}
    write_json(path, {key: value for key, value in config.items() if value is not None})


class TimmBlock(nn.Module):
    """timm's pre-norm block: one fused qkv product, attention written out."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(HIDDEN, eps=1e-6)
        self.attn = nn.ModuleDict(
            {"qkv": nn.Linear(HIDDEN, 3 * HIDDEN), "proj": nn.Linear(HIDDEN, HIDDEN)}
        )
        self.norm2 = nn.LayerNorm(HIDDEN, eps=1e-6)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(HIDDEN, MLP), "fc2": nn.Linear(MLP, HIDDEN)})

    def forward(self, tokens: Tensor) -> Tensor:
        count, length, _ = tokens.shape
        fused = self.attn["qkv"](self.norm1(tokens))
        query, key, value = fused.reshape(count, length, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        weights = (query @ key.transpose(-2, -1) * (HIDDEN // HEADS) ** -0.5).softmax(-1)
        tokens = tokens + self.attn["proj"]((weights @ value).transpose(1, 2).flatten(2))
        return tokens + self.mlp["fc2"](nn.functional.gelu(self.mlp["fc1"](self.norm2(tokens))))


class TimmViT(nn.Module):
    """timm's VisionTransformer with CLS pooling, under its parameter names."""

    def __init__(self, classes: int, size: int, patch: int) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, HIDDEN))
        self.pos_embed = nn.Parameter(torch.zeros(1, (size // patch) ** 2 + 1, HIDDEN))
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, HIDDEN, patch, patch)})
        self.blocks = nn.Sequential(*(TimmBlock() for _ in range(LAYERS)))
        self.norm = nn.LayerNorm(HIDDEN, eps=1e-6)
        self.head = nn.Linear(HIDDEN, classes)

    def forward(self, pixels: Tensor) -> Tensor:
        patches = self.patch_embed["proj"](pixels).flatten(2).transpose(1, 2)
        tokens = torch.cat((self.cls_token.expand(len(pixels), -1, -1), patches), dim=1)
        tokens = self.norm(self.blocks(tokens + self.pos_embed))
        logits: Tensor = self.head(tokens[:, 0])
        return logits


def _random(model: Any, seed: int) -> Any:
    """Every parameter drawn, norms and biases too, so that no mix-up can hide."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(0.0, 0.1, generator=generator)
            if "norm" in name and name.endswith("weight"):
                parameter.add_(1.0)
    return model.eval()
