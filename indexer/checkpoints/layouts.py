"""Which layout a checkpoint directory has, and the architecture its tensors spell.

Every width is read from the tensors and compared with what the configuration says. Only
what tensors cannot tell comes from the configuration or from timm's fixed conventions:
the number of heads, the epsilon of the layer norms and the activation.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from indexer.checkpoints.header import Shapes
from indexer.checkpoints.names import expected_shapes, mapped_shapes, require_equal
from indexer.checkpoints.values import Architecture, Family, Layout
from indexer.errors import CheckpointError

TIMM_LAYER_NORM_EPS = 1e-6
"""timm builds every ViT with this; the default of transformers (1e-12) shifts features."""

HEAD_WIDTH = 64
"""Every ViT-Ti/S/B/L has heads of this width; 12 heads on 384 load but encode wrongly."""

_STANDARD_WIDTHS = (192, 384, 768, 1024)
_FAMILIES: dict[Layout, Family] = {
    "vit": "vit",
    "community-forensics": "vit",
    "timm": "vit",
    "dinov2": "dinov2",
    "clip": "clip",
}
_LAYER_NORM_EPS = {"vit": 1e-12, "dinov2": 1e-6, "clip": 1e-5}
_ACTIVATION = {"vit": "gelu", "dinov2": "gelu", "clip": "quick_gelu"}
"""What transformers assumes where a configuration leaves it out."""


def detect(config: Mapping[str, Any], names: Shapes) -> Layout:
    """The layout, from config.json and the tensor names. Raises CheckpointError if unknown.

    Both transformers and Community Forensics name their tensors `vit.*`, so it is the
    configuration that decides, and `vit.blocks.` where it says nothing.
    """
    kind = config.get("model_type")
    if kind == "vit":
        return "vit"
    if kind == "dinov2":
        return "dinov2"
    if kind in ("clip", "clip_vision_model"):
        return "clip"
    if kind == "timm_wrapper" or "architecture" in config:
        return "timm"
    if kind is None and any(name.startswith("vit.blocks.") for name in names):
        return "community-forensics"
    raise CheckpointError(
        f"an unknown checkpoint layout (model_type {kind!r})",
        expected="a ViT, DINOv2 or CLIP of transformers, a timm ViT, or Community Forensics",
    )


def read_architecture(layout: Layout, config: Mapping[str, Any], shapes: Shapes) -> Architecture:
    """The architecture of a file whose every tensor fits it.

    Raises CheckpointError on missing, unexpected or mismatched tensors, on a configuration
    that contradicts them, and on the known-bad shapes of this model family.
    """
    if layout == "clip":
        config = config.get("vision_config", config)
    received = mapped_shapes(layout, shapes)
    architecture = _from_tensors(layout, config, received)
    if layout in ("vit", "dinov2", "clip"):
        _require_agreement(architecture, config)
    _refuse_known_bad(architecture, config)
    require_equal(received, expected_shapes(architecture))
    return architecture


class _Landmarks(NamedTuple):
    """Names in the model from which its widths are read; `block` starts every block's names."""

    projection: str
    positions: str
    block: str
    fc1: str


def _vit_landmarks(prefix: str, fc1: str) -> _Landmarks:
    return _Landmarks(
        projection=f"{prefix}.embeddings.patch_embeddings.projection.weight",
        positions=f"{prefix}.embeddings.position_embeddings",
        block=f"{prefix}.encoder.layer.",
        fc1=f"{prefix}.encoder.layer.0.{fc1}.weight",
    )


_LANDMARKS: dict[Family, _Landmarks] = {
    "vit": _vit_landmarks("vit", "intermediate.dense"),
    "dinov2": _vit_landmarks("dinov2", "mlp.fc1"),
    "clip": _Landmarks(
        "embeddings.patch_embedding.weight",
        "embeddings.position_embedding.weight",
        "encoder.layers.",
        "encoder.layers.0.mlp.fc1.weight",
    ),
}


def _from_tensors(layout: Layout, config: Mapping[str, Any], received: Shapes) -> Architecture:
    family = _FAMILIES[layout]
    marks = _LANDMARKS[family]
    for name in (marks.projection, marks.positions, marks.fc1):
        if name not in received:
            raise CheckpointError(
                f"a {layout} checkpoint without the tensor {name}",
                expected=f"weights in the {layout} layout that config.json names",
                do="keep weights and config.json of one and the same repository together",
            )
    hidden, patch = received[marks.projection][0], received[marks.projection][-1]
    positions = received[marks.positions][-2]
    side = math.isqrt(positions - 1)
    if side * side != positions - 1:
        raise CheckpointError(
            f"{positions} position embeddings", expected="one for CLS and a square grid"
        )
    if layout in ("timm", "community-forensics"):
        config = _timm_conventions(config, hidden)
    blocks = {
        name.removeprefix(marks.block).split(".")[0]
        for name in received
        if name.startswith(marks.block)
    }
    return Architecture(
        family=family,
        hidden=hidden,
        layers=len(blocks),
        heads=int(config.get("num_attention_heads", 12)),
        mlp=received[marks.fc1][0],
        patch=patch,
        image_size=side * patch,
        layer_norm_eps=float(config.get("layer_norm_eps", _LAYER_NORM_EPS[family])),
        activation=str(config.get("hidden_act", _ACTIVATION[family])),
        classes=received.get("classifier.weight", (0,))[0],
    )


def _timm_conventions(config: Mapping[str, Any], hidden: int) -> dict[str, Any]:
    """What timm fixes by the class and its configuration does not state."""
    if hidden % HEAD_WIDTH:
        raise CheckpointError(
            f"a timm ViT of width {hidden}", expected=f"a multiple of {HEAD_WIDTH}"
        )
    if config.get("global_pool", "token") != "token":
        raise CheckpointError(
            f"a timm ViT with global_pool {config['global_pool']!r}", expected='"token" (CLS)'
        )
    return {
        "num_attention_heads": hidden // HEAD_WIDTH,
        "layer_norm_eps": TIMM_LAYER_NORM_EPS,
        "hidden_act": "gelu",
    }


def _require_agreement(architecture: Architecture, config: Mapping[str, Any]) -> None:
    mlp = "intermediate_size"
    stated = dict(config)
    if architecture.family == "dinov2":
        stated[mlp] = int(config.get("hidden_size", 768) * config.get("mlp_ratio", 4))
        if config.get("use_swiglu_ffn"):
            raise CheckpointError("a DINOv2 with SwiGLU blocks", expected="DINOv2 S, B or L")
    found = {
        "hidden_size": architecture.hidden,
        "num_hidden_layers": architecture.layers,
        mlp: architecture.mlp,
        "patch_size": architecture.patch,
        "image_size": architecture.image_size,
    }
    _refuse_bad_port(architecture.hidden, stated.get(mlp))
    for key, value in found.items():
        if key in stated and stated[key] != value:
            raise CheckpointError(
                f"config.json says {key} {stated[key]}", expected=f"{value}, as the weights have it"
            )


def _refuse_known_bad(architecture: Architecture, config: Mapping[str, Any]) -> None:
    _refuse_bad_port(architecture.hidden, architecture.mlp)
    hidden, heads = architecture.hidden, architecture.heads
    if hidden % heads or (hidden in _STANDARD_WIDTHS and heads * HEAD_WIDTH != hidden):
        raise CheckpointError(
            f"{heads} heads on a width of {hidden}",
            expected=f"{hidden // HEAD_WIDTH} heads of width {HEAD_WIDTH}",
            do="correct num_attention_heads in config.json; the weights cannot tell",
        )
    if config.get("qkv_bias") is False:
        raise CheckpointError("a ViT without qkv bias", expected="qkv_bias true")


def _refuse_bad_port(hidden: int, mlp: object) -> None:
    if hidden == 384 and mlp == 3072:
        raise CheckpointError(
            "a ViT-S with a 3072-wide MLP: the known-bad port of the Community Forensics "
            "detector, whose scores are meaningless",
            expected="an MLP of 1536",
            do="use the checkpoint community-forensics (revision ac6ee457)",
        )
