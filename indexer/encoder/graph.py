"""The one definition of what an engine computes: pixels in, taps, patches and logits out."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from indexer.checkpoints import Checkpoint
from indexer.encoder.taps import STATISTICS
from indexer.encoder.tower import Tower


class Graph(nn.Module):
    """A frozen torch module; other engines convert it, so that they compute the same.

    `layers` are the tapped ones, `patch_layer` is the one whose patch tokens come out, all
    counted from 1.
    """

    def __init__(self, checkpoint: Checkpoint, layers: Sequence[int], patch_layer: int) -> None:
        super().__init__()
        self.tower = Tower(checkpoint)
        self.layers, self.patch_layer = tuple(layers), patch_layer
        self.grid = checkpoint.grid
        self.eval().requires_grad_(requires_grad=False)

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """(n, 3, height, width) float32 -> taps (n, taps, dim), patches (n, rows, columns, dim)
        and, with a head, logits (n, classes), all float32. Taps as `tap_names` orders them."""
        features = self.tower(pixels)
        final = features.tokens.float()
        hidden = (features.hidden_states[layer].float() for layer in self.layers)
        rows = [_statistic(tokens, name) for tokens in hidden for name in STATISTICS]
        taps = torch.stack([*rows, final[:, 0]], dim=1)
        patches = features.hidden_states[self.patch_layer][:, 1:].float().unflatten(1, self.grid)
        if features.logits is None:
            return taps, patches
        return taps, patches, features.logits.float()


def _statistic(tokens: Tensor, name: str) -> Tensor:
    """(n, 1 + patches, dim) -> (n, dim)."""
    if name == "cls":
        return tokens[:, 0]
    patches = tokens[:, 1:]
    return patches.mean(dim=1) if name == "mean" else patches.std(dim=1, correction=0)
