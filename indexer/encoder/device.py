"""Where and how precisely torch computes."""

import importlib
import importlib.util
import platform
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch

from indexer.errors import UsageError

_DTYPES = {"fp16": torch.float16, "bf16": torch.bfloat16}


@dataclass(frozen=True, slots=True)
class Placement:
    """A device and a precision class: "fp32", "fp16" or "bf16" (weights stay fp32)."""

    device: torch.device
    precision: str

    def autocast(self) -> AbstractContextManager[object]:
        """The context in which a forward pass runs."""
        if self.precision == "fp32":
            return nullcontext()
        return torch.autocast(self.device.type, dtype=_DTYPES[self.precision])

    def describe(self) -> dict[str, str]:
        """What tells this placement from others, on this machine and elsewhere."""
        cuda = self.device.type == "cuda"
        name = torch.cuda.get_device_name(self.device) if cuda else platform.processor()
        return {"device": str(self.device), "hardware": name, "precision": self.precision}


REFERENCE = Placement(torch.device("cpu"), "fp32")
"""What defines the encodings of a checkpoint; everything else is held to it."""


def choose(device: str = "auto", precision: str = "auto") -> Placement:
    """Pick the placement; "auto" takes the fastest device, and there its customary precision.

    CUDA: bf16 where the hardware has it, else fp16. TPU (torch_xla): bf16. Apple (mps) and
    CPU: fp32. Raises UsageError on a device that is not there or an unknown precision.
    """
    chosen = _auto_device() if device == "auto" else _named_device(device)
    if precision == "auto":
        precision = _auto_precision(chosen)
    if precision not in ("fp32", *_DTYPES):
        raise UsageError(f"precision {precision!r}", expected="auto, fp32, bf16 or fp16")
    if precision == "fp16" and chosen.type == "cpu":
        raise UsageError("fp16 on a CPU", expected="fp32 or bf16")
    return Placement(chosen, precision)


def _auto_device() -> torch.device:
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    if importlib.util.find_spec("torch_xla"):
        return _xla_device()
    return torch.device("cpu")


def _auto_precision(device: torch.device) -> str:
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
        return "bf16" if native else "fp16"
    return "bf16" if device.type == "xla" else "fp32"


def _named_device(name: str) -> torch.device:
    if name == "xla":
        return _xla_device()
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:  # torch raises either for a missing one
        raise UsageError(
            f"device {name!r} is not available", expected="auto, cpu, cuda, mps or xla"
        ) from error
    return device


def _xla_device() -> torch.device:
    if importlib.util.find_spec("torch_xla") is None:
        raise UsageError("device 'xla' without torch_xla", do="install torch_xla for your TPU")
    device: torch.device = importlib.import_module("torch_xla").device()
    return device
