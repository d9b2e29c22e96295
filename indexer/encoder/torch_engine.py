"""The reference engine: torch, on any device that it knows."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from indexer.encoder.device import Placement
from indexer.encoder.engine import Outputs
from indexer.encoder.graph import Graph
from indexer.types import Float32

_CORES = os.cpu_count() or 1
_CPU_BATCH, _ACCELERATOR_BATCH = 1, 32
"""Images a forward pass. On a CPU one image fills the caches already."""


class TorchEngine:
    """`indexer.encoder.engine.Engine` on torch.

    Images go through the model in micro-batches of one fixed size, the last one filled up,
    because matrix products round differently for different shapes: so an image gets the
    same encoding whatever batch it comes in, bit for bit on a CPU. There, images are encoded
    side by side, one core each: that beats one image over all cores.
    """

    def __init__(self, graph: Graph, placement: Placement) -> None:
        self._graph, self._placement = graph.to(placement.device), placement
        on_cpu = placement.device.type == "cpu"
        self._micro_batch = _CPU_BATCH if on_cpu else _ACCELERATOR_BATCH
        self._pool = ThreadPoolExecutor(_CORES if on_cpu else 1, "encoder")
        if on_cpu:
            torch.set_num_threads(1)  # of each thread of the pool

    @property
    def precision(self) -> str:
        return self._placement.precision

    def run(self, inputs: Sequence[Float32]) -> Iterator[Outputs]:
        """See `indexer.encoder.engine.Engine`."""
        starts = range(0, len(inputs), self._micro_batch)
        parts = [inputs[start : start + self._micro_batch] for start in starts]
        return self._pool.map(self._forward, parts)

    @torch.inference_mode()
    def _forward(self, inputs: Sequence[Float32]) -> Outputs:
        count = len(inputs)
        pixels = np.zeros((self._micro_batch, *inputs[0].shape), np.float32)
        for row, values in enumerate(inputs):
            pixels[row] = values
        with self._placement.autocast():
            taps, patches, *logits = self._graph(
                torch.from_numpy(pixels).to(self._placement.device)
            )
        logits = logits or [taps.new_empty((self._micro_batch, 0))]
        return Outputs(*(_to_numpy(output[:count]) for output in (taps, patches, *logits)))


def _to_numpy(tensor: Tensor) -> Float32:
    array: Float32 = tensor.cpu().numpy()
    return array
