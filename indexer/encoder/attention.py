"""Attention weights, which fast engines do not yield: computed by torch in fp32, on the CPU."""

from collections.abc import Callable

import torch

from indexer.checkpoints import Checkpoint
from indexer.types import Float32


def load(checkpoint: Checkpoint, step: Callable[[], None]) -> Callable[[Float32], Float32]:
    """Pixels (3, height, width) -> (layers, tokens, tokens), the mean over heads.

    `step` is called between what takes seconds: torch itself is there, transformers comes now.
    """
    step()
    from indexer.encoder.tower import Tower

    step()
    tower = Tower(checkpoint, "eager").eval()

    @torch.inference_mode()
    def attention(pixels: Float32) -> Float32:
        layers = tower.attention(torch.from_numpy(pixels[None]))
        mean: Float32 = torch.stack([layer[0].mean(dim=0) for layer in layers]).numpy()
        return mean

    return attention
