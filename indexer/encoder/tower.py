"""A checkpoint as a transformers model: weights in, hidden states, tokens and logits out."""

from dataclasses import dataclass
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor, nn
from transformers import CLIPVisionConfig, Dinov2Config, ViTConfig
from transformers.models.clip.modeling_clip import CLIPVisionModel
from transformers.models.dinov2.modeling_dinov2 import Dinov2ForImageClassification, Dinov2Model
from transformers.models.vit.modeling_vit import ViTForImageClassification, ViTModel
from transformers.utils import logging

from indexer.checkpoints import Architecture, Checkpoint
from indexer.checkpoints.names import map_names
from indexer.errors import CheckpointError

logging.disable_progress_bar()
logging.set_verbosity_error()  # its remarks on training losses are nothing to our users


@dataclass(frozen=True, slots=True)
class Features:
    """One forward pass over n images of `patches` patches.

    `hidden_states` (layers + 1) x (n, 1 + patches, dim), before the final norm; `tokens`
    (n, 1 + patches, dim), after it; `logits` (n, classes) or None without a head.
    """

    hidden_states: tuple[Tensor, ...]
    tokens: Tensor
    logits: Tensor | None


class Tower(nn.Module):
    """The model of a checkpoint; `attention` is how it is computed, as transformers names it."""

    def __init__(self, checkpoint: Checkpoint, attention: str = "sdpa") -> None:
        super().__init__()
        self._family = checkpoint.architecture.family
        self._model = _load(checkpoint, attention)

    def forward(self, pixels: Tensor) -> Features:
        """`pixels` (n, 3, height, width) float32."""
        output = self._run(pixels, output_hidden_states=True)
        tokens = output.last_hidden_state
        if self._family == "clip":  # its last_hidden_state has not passed the final norm
            tokens = self._base.post_layernorm(tokens)
        return Features(output.hidden_states, tokens, self._classify(tokens))

    def attention(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """Of each layer (n, heads, tokens, tokens); of a tower with "eager" attention only."""
        attentions: tuple[Tensor, ...] = self._run(pixels, output_attentions=True).attentions
        return attentions

    @property
    def _base(self) -> Any:  # noqa: ANN401 a model of any class
        return self._model.base_model

    def _run(self, pixels: Tensor, **wanted: bool) -> Any:  # noqa: ANN401 a transformers output
        # DINOv2 always resamples its position embeddings to the input; the others ask.
        resample = {} if self._family == "dinov2" else {"interpolate_pos_encoding": True}
        return self._base(pixels, **wanted, **resample)

    def _classify(self, tokens: Tensor) -> Tensor | None:
        classifier = getattr(self._model, "classifier", None)
        if classifier is None:
            return None
        pooled = tokens[:, 0]
        if self._family == "dinov2":
            pooled = torch.cat((pooled, tokens[:, 1:].mean(dim=1)), dim=1)
        logits: Tensor = classifier(pooled)
        return logits


def _load(checkpoint: Checkpoint, attention: str) -> nn.Module:
    """Build the model and set every tensor of it from the memory-mapped file."""
    architecture = checkpoint.architecture
    model_class, config = _model_class(architecture)
    model, report = model_class.from_pretrained(
        None,
        config=config,
        state_dict=_read_weights(checkpoint),
        dtype=torch.float32,
        attn_implementation=attention,
        output_loading_info=True,
        **({"add_pooling_layer": False} if model_class is ViTModel else {}),
    )
    faults = {key: sorted(map(str, names)) for key, names in report.items() if names}
    if faults:
        raise CheckpointError(
            f"{checkpoint.name} does not load without loss: {faults}",
            expected="no missing, unexpected or mismatched tensor",
        )
    loaded: nn.Module = model
    return loaded


def _read_weights(checkpoint: Checkpoint) -> dict[str, Tensor]:
    weights: dict[str, Tensor] = {}
    with safe_open(checkpoint.weights, framework="pt") as file:
        for name, targets in map_names(checkpoint.layout, file.keys()).items():
            tensor = file.get_tensor(name)
            for target in targets:
                whole = target.third is None
                weights[target.name] = tensor if whole else tensor.chunk(3)[target.third]
    return weights


def _model_class(architecture: Architecture) -> tuple[Any, Any]:
    shared: dict[str, Any] = {
        "hidden_size": architecture.hidden,
        "num_hidden_layers": architecture.layers,
        "num_attention_heads": architecture.heads,
        "patch_size": architecture.patch,
        "image_size": architecture.image_size,
        "layer_norm_eps": architecture.layer_norm_eps,
        "hidden_act": architecture.activation,
    }
    if architecture.family == "clip":
        return CLIPVisionModel, CLIPVisionConfig(**shared, intermediate_size=architecture.mlp)
    if architecture.classes:
        shared["num_labels"] = architecture.classes
    if architecture.family == "dinov2":
        ratio = architecture.mlp // architecture.hidden
        config = Dinov2Config(**shared, mlp_ratio=ratio, use_mask_token=False)
        return (Dinov2ForImageClassification if architecture.classes else Dinov2Model), config
    config = ViTConfig(**shared, intermediate_size=architecture.mlp)
    return (ViTForImageClassification if architecture.classes else ViTModel), config
