"""The reference engine: torch, on any device that it knows."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from indexer.encoder import cache, gate
from indexer.encoder.device import REFERENCE, Placement
from indexer.encoder.engine import CPU_BATCH, Outputs, Reading, cores, joined
from indexer.encoder.graph import Graph
from indexer.types import Float32

ACCELERATOR_BATCH = 64
"""Images a forward pass on an accelerator; on a CPU one fills the caches already."""


class TorchEngine:
    """`indexer.encoder.engine.Engine` on torch.

    Images go through the model in micro-batches of one fixed size, the last one filled up,
    because matrix products round differently for different shapes: so an image gets the
    same encoding whatever batch it comes in, bit for bit on a CPU. There, images are encoded
    side by side, one core each: that beats one image over all cores. On an accelerator two
    threads take turns, so that one batch is copied while another is computed.
    """

    name = "torch"

    def __init__(self, graph: Graph, placement: Placement) -> None:
        self._graph, self._placement = graph.to(placement.device), placement
        self.precision = placement.precision
        on_cpu = placement.device.type == "cpu"
        self._micro_batch = 1 if on_cpu else ACCELERATOR_BATCH
        self._pinned = placement.device.type == "cuda"
        self.batch = CPU_BATCH if on_cpu else ACCELERATOR_BATCH
        self._pool = ThreadPoolExecutor(cores() if on_cpu else 2, "encoder")
        if on_cpu:
            torch.set_num_threads(1)  # of each thread of the pool

    def run(self, inputs: Sequence[Float32]) -> Iterator[Outputs]:
        """See `indexer.encoder.engine.Engine`."""
        starts = range(0, len(inputs), self._micro_batch)
        parts = [inputs[start : start + self._micro_batch] for start in starts]
        return self._pool.map(self._forward, parts)

    @torch.inference_mode()
    def _forward(self, inputs: Sequence[Float32]) -> Outputs:
        count = len(inputs)
        # Memory that cannot be swapped out is copied to the device while it computes.
        pixels = torch.zeros((self._micro_batch, *inputs[0].shape), pin_memory=self._pinned)
        for row, values in enumerate(inputs):
            pixels[row] = torch.from_numpy(values)
        with self._placement.autocast():
            taps, patches, *logits = self._graph(
                pixels.to(self._placement.device, non_blocking=self._pinned)
            )
        logits = logits or [taps.new_empty((self._micro_batch, 0))]
        return Outputs(*(_to_numpy(output[:count]) for output in (taps, patches, *logits)))


def load(reading: Reading, placement: Placement) -> TorchEngine:
    """The engine for a checkpoint. Unless it is the reference itself it has to pass the gate.

    Raises CheckpointError, EngineRefused.
    """
    graph = Graph(reading)
    if placement == REFERENCE:
        return TorchEngine(graph, placement)
    described = {"name": TorchEngine.name, **placement.describe()}
    key = cache.cache_key(reading, described)
    if cache.find(key) is not None:
        return TorchEngine(graph, placement)
    inputs = gate.probes(reading.checkpoint.recipe)
    expected = reference_outputs(graph, inputs)
    engine = TorchEngine(graph, placement)
    found = gate.check(engine, expected, inputs, reading.taps)
    cache.publish(key, found, lambda _: None)
    return engine


def reference_outputs(graph: Graph, inputs: Sequence[Float32]) -> Outputs:
    """What every engine is held to: torch in fp32 on the CPU."""
    return joined(TorchEngine(graph, REFERENCE).run(inputs))


def _to_numpy(tensor: Tensor) -> Float32:
    array: Float32 = tensor.cpu().numpy()
    return array
