"""Tensor names of every layout, mapped onto the names that transformers keeps on disk.

Pure functions over names and shapes. A mapping gives, for each tensor of the file, its
place in the model: a target name and, for timm's fused `qkv`, which third along axis 0.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from indexer.checkpoints.header import Shapes
from indexer.checkpoints.values import Architecture, Layout
from indexer.errors import CheckpointError


class Target(NamedTuple):
    """Where a tensor goes; `third` is None for the whole tensor, else 0, 1 or 2 of three."""

    name: str
    third: int | None = None


_TIMM_BLOCK = {
    "norm1": "layernorm_before",
    "attn.proj": "attention.output.dense",
    "norm2": "layernorm_after",
    "mlp.fc1": "intermediate.dense",
    "mlp.fc2": "output.dense",
}
_TIMM_TOP = {
    "cls_token": "vit.embeddings.cls_token",
    "pos_embed": "vit.embeddings.position_embeddings",
    "patch_embed.proj.weight": "vit.embeddings.patch_embeddings.projection.weight",
    "patch_embed.proj.bias": "vit.embeddings.patch_embeddings.projection.bias",
    "norm.weight": "vit.layernorm.weight",
    "norm.bias": "vit.layernorm.bias",
    "head.weight": "classifier.weight",
    "head.bias": "classifier.bias",
}
_V5_BLOCK = {
    "attention.q_proj": "attention.attention.query",
    "attention.k_proj": "attention.attention.key",
    "attention.v_proj": "attention.attention.value",
    "attention.o_proj": "attention.output.dense",
    "mlp.fc1": "intermediate.dense",
    "mlp.fc2": "output.dense",
    "layernorm_before": "layernorm_before",
    "layernorm_after": "layernorm_after",
}


def from_timm(name: str) -> tuple[Target, ...]:
    """timm's Vision Transformer -> transformers ViT; `qkv` is split in query, key, value."""
    if name in _TIMM_TOP:
        return (Target(_TIMM_TOP[name]),)
    match = re.fullmatch(r"blocks\.(\d+)\.(.+)\.(weight|bias)", name)
    if match is None:
        return (Target(name),)
    layer, part, kind = match.groups()
    stem = f"vit.encoder.layer.{layer}"
    if part == "attn.qkv":
        return tuple(
            Target(f"{stem}.attention.attention.{role}.{kind}", third)
            for third, role in enumerate(("query", "key", "value"))
        )
    return (Target(f"{stem}.{_TIMM_BLOCK[part]}.{kind}" if part in _TIMM_BLOCK else name),)


def from_community_forensics(name: str) -> tuple[Target, ...]:
    """The detector class of Community Forensics keeps its timm model in `self.vit`."""
    return from_timm(name.removeprefix("vit.")) if name.startswith("vit.") else (Target(name),)


def from_vit(name: str) -> tuple[Target, ...]:
    """transformers ViT: classic names stay; v5 names become classic; a bare tower gets `vit.`.

    The pooler of a bare tower is no part of an encoding and is left out.
    """
    if name.startswith(("embeddings.", "encoder.", "layers.", "layernorm.", "pooler.")):
        name = f"vit.{name}"
    if name.startswith("vit.pooler."):
        return ()
    match = re.fullmatch(r"vit\.layers\.(\d+)\.(.+)\.(weight|bias)", name)
    if match is None or match[2] not in _V5_BLOCK:
        return (Target(name),)
    return (Target(f"vit.encoder.layer.{match[1]}.{_V5_BLOCK[match[2]]}.{match[3]}"),)


def from_dinov2(name: str) -> tuple[Target, ...]:
    """transformers DINOv2; a bare tower gets `dinov2.`; the mask token serves training only."""
    if name.startswith(("embeddings.", "encoder.", "layernorm.")):
        name = f"dinov2.{name}"
    return () if name == "dinov2.embeddings.mask_token" else (Target(name),)


def from_clip(name: str) -> tuple[Target, ...]:
    """The vision tower of a CLIP file; the text tower and both projections are left out."""
    name = name.removeprefix("vision_model.")
    outside = ("text_model.", "text_projection.", "visual_projection.", "logit_scale")
    if name.startswith(outside) or name == "embeddings.position_ids":
        return ()
    return (Target(name),)


MAPPINGS = {
    "vit": from_vit,
    "community-forensics": from_community_forensics,
    "timm": from_timm,
    "dinov2": from_dinov2,
    "clip": from_clip,
}


def map_names(layout: Layout, names: Iterable[str]) -> dict[str, tuple[Target, ...]]:
    """File name -> targets, for every tensor of a file in `layout`."""
    return {name: MAPPINGS[layout](name) for name in names}


def mapped_shapes(layout: Layout, shapes: Shapes) -> Shapes:
    """The shapes that the model would receive, by target name.

    Raises CheckpointError when two tensors of the file claim one place.
    """
    received: Shapes = {}
    for name, targets in map_names(layout, shapes).items():
        shape = shapes[name]
        for target in targets:
            if target.name in received:
                raise CheckpointError(f"two tensors for {target.name}", expected="one")
            whole = target.third is None
            received[target.name] = shape if whole else (shape[0] // 3, *shape[1:])
    return received


def expected_shapes(architecture: Architecture) -> Shapes:
    """The tensors that a model of this architecture has, by target name."""
    hidden, mlp, patch = architecture.hidden, architecture.mlp, architecture.patch
    positions = (architecture.image_size // patch) ** 2 + 1
    projection = (hidden, 3, patch, patch)
    shapes: Shapes = {}

    def linear(name: str, out: int, into: int) -> None:
        shapes.update({f"{name}.weight": (out, into), f"{name}.bias": (out,)})

    def norm(name: str) -> None:
        shapes.update({f"{name}.weight": (hidden,), f"{name}.bias": (hidden,)})

    if architecture.family == "clip":
        shapes["embeddings.class_embedding"] = (hidden,)
        shapes["embeddings.patch_embedding.weight"] = projection
        shapes["embeddings.position_embedding.weight"] = (positions, hidden)
        norm("pre_layrnorm")
        norm("post_layernorm")
        for layer in range(architecture.layers):
            stem = f"encoder.layers.{layer}"
            norm(f"{stem}.layer_norm1")
            norm(f"{stem}.layer_norm2")
            for role in ("q_proj", "k_proj", "v_proj", "out_proj"):
                linear(f"{stem}.self_attn.{role}", hidden, hidden)
            linear(f"{stem}.mlp.fc1", mlp, hidden)
            linear(f"{stem}.mlp.fc2", hidden, mlp)
        return shapes

    prefix = architecture.family
    shapes[f"{prefix}.embeddings.cls_token"] = (1, 1, hidden)
    shapes[f"{prefix}.embeddings.position_embeddings"] = (1, positions, hidden)
    shapes[f"{prefix}.embeddings.patch_embeddings.projection.weight"] = projection
    shapes[f"{prefix}.embeddings.patch_embeddings.projection.bias"] = (hidden,)
    norm(f"{prefix}.layernorm")
    for layer in range(architecture.layers):
        stem = f"{prefix}.encoder.layer.{layer}"
        for role in ("query", "key", "value"):
            linear(f"{stem}.attention.attention.{role}", hidden, hidden)
        linear(f"{stem}.attention.output.dense", hidden, hidden)
        if prefix == "dinov2":
            norm(f"{stem}.norm1")
            norm(f"{stem}.norm2")
            linear(f"{stem}.mlp.fc1", mlp, hidden)
            linear(f"{stem}.mlp.fc2", hidden, mlp)
            shapes[f"{stem}.layer_scale1.lambda1"] = (hidden,)
            shapes[f"{stem}.layer_scale2.lambda1"] = (hidden,)
        else:
            norm(f"{stem}.layernorm_before")
            norm(f"{stem}.layernorm_after")
            linear(f"{stem}.intermediate.dense", mlp, hidden)
            linear(f"{stem}.output.dense", hidden, mlp)
    if architecture.classes:
        pooled = 2 * hidden if prefix == "dinov2" else hidden
        linear("classifier", architecture.classes, pooled)
    return shapes


def require_equal(received: Shapes, expected: Shapes) -> None:
    """Refuse a file that would leave a tensor of the model unset, or set it wrongly.

    Raises CheckpointError that counts and names missing, unexpected and mismatched ones.
    """
    missing = sorted(expected.keys() - received.keys())
    unexpected = sorted(received.keys() - expected.keys())
    shared = sorted(expected.keys() & received.keys())
    mismatched = [
        f"{name} {received[name]} instead of {expected[name]}"
        for name in shared
        if received[name] != expected[name]
    ]
    faults = {"missing": missing, "unexpected": unexpected, "mismatched": mismatched}
    if any(faults.values()):
        told = ", ".join(
            f"{len(names)} {fault} (such as {names[0]})" for fault, names in faults.items() if names
        )
        raise CheckpointError(
            f"tensors that do not fit the model: {told}",
            expected="every tensor of the model exactly once",
            do="use the original files of the checkpoint",
        )
