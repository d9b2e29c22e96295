"""Dense supervision of the ViT: which patches were touched, by which family, real or fake."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers import ViTForImageClassification

from recipe.batches import PATCH, Batch, draw
from recipe.data import CLASSES, TrainingImage


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how hard to train.

    Of every four batches three are `small` crops (many, cheap) and one is of the full image
    size; both cost about the same. `frozen` first layers and the embeddings stay as they are.
    """

    steps: int
    seed: int = 0
    frozen: int = 4
    backbone_rate: float = 1e-4
    head_rate: float = 1e-3
    warmup: int = 20
    small: tuple[int, int] = (112, 16)
    full: tuple[int, int] = (224, 4)


class Heads(nn.Module):
    """What shapes the features and is dropped at export: families of taps and of patches."""

    def __init__(self, dim: int, layers: Sequence[int]) -> None:
        super().__init__()
        self.layers = tuple(layers)
        self.norm = nn.LayerNorm(3 * dim, elementwise_affine=False)
        self.taps = nn.ModuleList(nn.Linear(3 * dim, len(CLASSES)) for _ in layers)
        self.patches = nn.Linear(dim, len(CLASSES))

    def families(self, states: Sequence[Tensor]) -> list[Tensor]:
        """(n, classes) logits from CLS, patch mean and patch deviation of each tapped layer."""
        statistics = [
            torch.cat([state[:, 0], state[:, 1:].mean(1), state[:, 1:].std(1)], 1)
            for state in (states[layer] for layer in self.layers)
        ]
        return [head(self.norm(x)) for head, x in zip(self.taps, statistics, strict=True)]


def hidden_states(model: ViTForImageClassification, pixels: Tensor, corner: Tensor) -> list[Tensor]:
    """The residual stream before the first layer and after each, (n, 1 + patches, dim).

    A crop smaller than the model's image gets the position embeddings of the window that
    starts at `corner` (row, column), as if it were a part of a full image.
    """
    embeddings = model.vit.embeddings
    patches = embeddings.patch_embeddings.projection(pixels)
    rows, columns = patches.shape[2:]
    positions = embeddings.position_embeddings
    side = math.isqrt(positions.shape[1] - 1)
    row, column = corner.tolist()
    window = positions[:, 1:].unflatten(1, (side, side))[
        :, row : row + rows, column : column + columns
    ]
    tokens = patches.flatten(2).transpose(1, 2) + window.flatten(1, 2)
    cls = (embeddings.cls_token + positions[:, :1]).expand(len(pixels), -1, -1)
    states = [torch.cat([cls, tokens], 1)]
    for layer in model.vit.layers:
        states.append(layer(states[-1]))
    return states


def loss_of(model: ViTForImageClassification, heads: Heads, batch: Batch, corner: Tensor) -> Tensor:
    """Real/fake, family of patches, family of the image from each tapped layer."""
    states = hidden_states(model, batch.pixels, corner)
    final = model.vit.layernorm(states[-1])
    label = torch.where(batch.family > 0, 1, batch.family)
    real_or_fake = cross_entropy(model.classifier(final[:, 0]), label)
    patches = cross_entropy(heads.patches(final[:, 1:]).flatten(0, 1), batch.patches.flatten())
    families = [cross_entropy(logits, batch.family) for logits in heads.families(states)]
    return real_or_fake + patches + torch.stack(families).mean()


def train(
    model: ViTForImageClassification,
    images: Sequence[TrainingImage],
    plan: Plan,
    save: Callable[[], None],
) -> None:
    """Train `model` in place; `save()` runs every 60 steps."""
    torch.manual_seed(plan.seed)
    rng = np.random.default_rng(plan.seed)
    depth = model.config.num_hidden_layers
    heads = Heads(model.config.hidden_size, [depth * quarter // 4 for quarter in (1, 2, 3, 4)])
    model.vit.embeddings.requires_grad_(False)
    model.vit.layers[: plan.frozen].requires_grad_(False)
    trained = [weight for weight in model.vit.parameters() if weight.requires_grad]
    new = [*model.classifier.parameters(), *heads.parameters()]
    optimizer = torch.optim.AdamW(
        [{"params": trained, "lr": plan.backbone_rate}, {"params": new, "lr": plan.head_rate}],
        weight_decay=0.01,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min((step + 1) / plan.warmup, 0.02 + 0.98 * (1 - step / plan.steps)),
    )
    grid = model.config.image_size // PATCH
    started, total = time.monotonic(), 0.0
    for step in range(1, plan.steps + 1):
        side, count = plan.full if step % 4 == 0 else plan.small
        corner = torch.from_numpy(rng.integers(grid - side // PATCH + 1, size=2))
        loss = loss_of(model, heads, draw(images, side, count, rng), corner)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_([*trained, *new], 1.0)
        optimizer.step()
        schedule.step()
        total += loss.item()
        if step % 20 == 0:
            seconds = time.monotonic() - started
            print(f"step {step} loss {total / 20:.3f} seconds {seconds:.0f}", flush=True)
            total = 0.0
        if step % 60 == 0:
            save()
