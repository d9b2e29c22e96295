"""The fast engine on CPUs: the graph converted to OpenVINO. The only module that imports it."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.checkpoints import Checkpoint
from indexer.encoder import cache, gate
from indexer.encoder.engine import CPU_BATCH, Outputs, Reading, cores
from indexer.errors import MissingExtra, UsageError
from indexer.types import Float32

if TYPE_CHECKING:
    from indexer.encoder.graph import Graph

try:
    import openvino as ov
except ImportError as error:
    raise MissingExtra("openvino", "openvino", "the engine openvino") from error

# The first array that OpenVINO sees makes its binding load NumPy's interface under a C++ guard,
# while it also waits for the interpreter: two threads at once would wait for each other for ever.
_ = ov.Tensor(np.zeros(1, np.float32)).data

MODEL = "model.xml"
PRECISIONS = ("fp32", "bf16", "int8")


class OpenVinoEngine:
    """`indexer.encoder.engine.Engine` on OpenVINO, one image per core at a time.

    Each request computes one image on one thread, so its result depends on nothing else.
    """

    name, batch = "openvino", CPU_BATCH

    def __init__(self, model: "ov.Model | Path", precision: str, width: int) -> None:
        """`model` converted, or its file; `width` that of a token."""
        self.precision = precision
        compiled = ov.Core().compile_model(model, "CPU", _settings(precision, width))
        requests = compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
        self._idle: SimpleQueue[ov.InferRequest] = SimpleQueue()
        for _ in range(requests):
            self._idle.put(compiled.create_infer_request())
        self._pool = ThreadPoolExecutor(requests, "encoder")

    def run(self, inputs: Sequence[Float32]) -> Iterator[Outputs]:
        """See `indexer.encoder.engine.Engine`."""
        return self._pool.map(self._infer, inputs)

    def _infer(self, pixels: Float32) -> Outputs:
        request = self._idle.get()
        results = request.infer({0: pixels[None]}, share_inputs=True, share_outputs=True)
        taps, patches, *logits = (np.array(results[i], np.float32) for i in range(len(results)))
        self._idle.put(request)
        return Outputs(taps, patches, *logits or [np.empty((1, 0), np.float32)])


def load(reading: Reading, precision: str = "auto") -> OpenVinoEngine:
    """The engine for a checkpoint: its converted model from the cache, or converted now.

    "auto" is bf16 where the CPU computes in it, else fp32. A conversion has to pass the gate
    before it is kept. torch is loaded for that only. Raises UsageError on a precision that
    this engine has not, EngineRefused.
    """
    if precision == "auto":
        precision = "bf16" if _has_bf16() else "fp32"
    if precision not in PRECISIONS:
        raise UsageError(
            f"precision {precision!r} with the engine openvino",
            expected=f"auto, {', '.join(PRECISIONS)}",
        )
    width = reading.checkpoint.architecture.hidden
    key = _key(reading, precision)
    folder = cache.find(key)
    if folder is not None:
        return OpenVinoEngine(folder / MODEL, precision, width)

    from indexer.encoder.graph import Graph
    from indexer.encoder.torch_engine import reference_outputs

    graph = Graph(reading)
    inputs = gate.probes(reading.checkpoint.recipe)
    expected = reference_outputs(graph, inputs)
    model = convert(graph, reading.checkpoint, precision)
    engine = OpenVinoEngine(model, precision, width)
    found = gate.check(engine, expected, inputs, reading.taps)
    cache.publish(key, found, lambda to: ov.save_model(model, to / MODEL, compress_to_fp16=False))
    return engine


def convert(graph: "Graph", checkpoint: Checkpoint, precision: str) -> "ov.Model":
    """The graph as an OpenVINO model of one image."""
    from indexer.encoder.graph import trace

    shape = (1, 3, *checkpoint.recipe.output_size)
    model = ov.convert_model(trace(graph, shape), input=[shape])
    if precision != "int8":
        return model
    from indexer.encoder.compress import compress

    return compress(model, checkpoint.architecture.layers)


def _settings(precision: str, width: int) -> dict[str, Any]:
    streams = cores()
    narrow = precision == "bf16" or (precision == "int8" and _has_bf16())
    # Activations are quantised in groups along a token; a group must divide its width.
    group = 128 if width % 128 == 0 else 64
    return {
        "PERFORMANCE_HINT": "THROUGHPUT",
        "NUM_STREAMS": streams,
        "INFERENCE_NUM_THREADS": streams,
        "INFERENCE_PRECISION_HINT": "bf16" if narrow else "f32",
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": group if precision == "int8" else 0,
    }


def _has_bf16() -> bool:
    return "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _key(reading: Reading, precision: str) -> dict[str, Any]:
    packages = ("openvino", "nncf") if precision == "int8" else ("openvino",)
    core = ov.Core()
    engine = {
        "name": OpenVinoEngine.name,
        "precision": precision,
        "cpu": core.get_property("CPU", "FULL_DEVICE_NAME"),
        "capabilities": " ".join(core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")),
    }
    return cache.cache_key(reading, engine, *packages)
