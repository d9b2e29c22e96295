"""From what a user named to an encoder that is ready."""

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

from indexer.checkpoints import resolve
from indexer.encoder.encoder import VitEncoder
from indexer.encoder.engine import Engine, Reading
from indexer.encoder.taps import default_layers, default_patch_layer, tap_names
from indexer.errors import UsageError

ENGINES = ("auto", "torch", "openvino")

_ACCELERATORS = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")
"""Device nodes of CUDA, CUDA under WSL and ROCm on Linux."""


def load_encoder(
    ref: str | Path,
    *,
    engine: str = "auto",
    device: str = "auto",
    precision: str = "auto",
    fake_label: str | None = None,
    layers: Sequence[int] | None = None,
    views: int = 1,
) -> VitEncoder:
    """Load the checkpoint that `ref` names (see `indexer.checkpoints.resolve`).

    `engine` "auto" is openvino on a CPU where it is installed, else torch; `precision` "auto"
    is the fastest of the classes that mix with fp32 (`indexer.precision`). `layers` are the
    tapped ones, counted from 1; four evenly spaced by default. With 2 `views` the residual
    (`indexer.images.residual`) is encoded too, at twice the cost. Raises NotFound, UsageError,
    CheckpointError, MissingExtra, or EngineRefused where the engine fails the gate.
    """
    checkpoint = resolve(str(ref), fake_label=fake_label)
    depth = checkpoint.architecture.layers
    layers = tuple(layers or checkpoint.layers or default_layers(depth))
    taps = tap_names(layers, depth, views)
    reading = Reading(checkpoint, layers, default_patch_layer(depth))
    loaded = _load_engine(reading, engine, device, precision)
    named_by_path = Path(ref).resolve() == checkpoint.directory.resolve()
    reference = {
        "ref": str(checkpoint.directory.resolve()) if named_by_path else str(ref),
        "fake_label": fake_label,
        "layers": list(layers),
        "views": views,
        "precision": loaded.precision,
    }
    return VitEncoder(checkpoint, loaded, taps, reading.patch_layer, views, reference)


def _load_engine(reading: Reading, engine: str, device: str, precision: str) -> Engine:
    if _wants_openvino(engine, device, precision):
        from indexer.encoder import openvino_engine

        return openvino_engine.load(reading, precision)

    from indexer.encoder import torch_engine
    from indexer.encoder.device import choose

    return torch_engine.load(reading, choose(device, precision))


def _wants_openvino(engine: str, device: str, precision: str) -> bool:
    if engine not in ENGINES:
        raise UsageError(f"engine {engine!r}", expected=", ".join(ENGINES))
    if engine == "openvino" and device not in ("auto", "cpu"):
        raise UsageError(f"the engine openvino on device {device!r}", expected="auto or cpu")
    if engine != "auto":
        return engine == "openvino"
    if precision == "int8":  # nothing else has it
        return True
    on_cpu = device == "cpu" or (device == "auto" and not _has_accelerator())
    return on_cpu and precision != "fp16" and importlib.util.find_spec("openvino") is not None


def _has_accelerator() -> bool:
    """Asking torch costs a second; a Linux without any device node needs not be asked."""
    nodes = any(Path(node).exists() for node in _ACCELERATORS)
    if sys.platform == "linux" and not nodes and not importlib.util.find_spec("torch_xla"):
        return False
    from indexer.encoder.device import choose

    return choose().device.type != "cpu"
