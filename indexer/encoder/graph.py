"""The one definition of what an engine computes: pixels in, taps, patches and logits out."""

import warnings

import torch
from torch import Tensor, nn

from indexer.encoder.engine import Reading
from indexer.encoder.taps import STATISTICS
from indexer.encoder.tower import Tower


class Graph(nn.Module):
    """A frozen torch module; other engines convert it, so that they compute the same."""

    def __init__(self, reading: Reading) -> None:
        super().__init__()
        self.tower = Tower(reading.checkpoint)
        self.layers, self.patch_layer = reading.layers, reading.patch_layer
        self.grid = reading.checkpoint.grid
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


def trace(graph: Graph, shape: tuple[int, ...]) -> torch.jit.ScriptModule:
    """The graph as TorchScript for pixels of one shape, which other engines can read.

    What depends on the shape becomes constant, which is right, since it is the only one."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of tracing: on shapes that become constant
        traced: torch.jit.ScriptModule = torch.jit.trace(  # type: ignore[no-untyped-call]
            graph, torch.zeros(shape), check_trace=False
        )
    return traced


def _statistic(tokens: Tensor, name: str) -> Tensor:
    """(n, 1 + patches, dim) -> (n, dim)."""
    if name == "cls":
        return tokens[:, 0]
    patches = tokens[:, 1:]
    return patches.mean(dim=1) if name == "mean" else patches.std(dim=1, correction=0)
