"""Convert a pickled checkpoint to safetensors without running the code it may carry."""

import pickle
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from indexer.checkpoints.values import CONFIG, PROCESSOR, WEIGHTS
from indexer.errors import CheckpointError, UsageError


def convert(source: Path, to: Path) -> Path:
    """Write the weights of the pickle `source` as a checkpoint directory `to`; returns it.

    Weights-only load: anything but tensors and plain containers is refused. A training
    checkpoint keeps its weights under `model`; `torch.compile` prefixes names with
    `_orig_mod.`. Configuration files beside `source` are copied; Community Forensics
    training files need none.
    """
    if (to / WEIGHTS).exists():
        raise UsageError(f"{to / WEIGHTS} exists", do="name another directory")
    weights = _weights(source)
    config = source.parent / CONFIG
    if not config.is_file() and not any(name.startswith("vit.blocks.") for name in weights):
        raise CheckpointError(
            f"{source} has no {CONFIG} beside it", do="copy it from the checkpoint's repository"
        )
    to.mkdir(parents=True, exist_ok=True)
    if config.is_file():
        for name in (CONFIG, PROCESSOR):
            if (source.parent / name).is_file():
                shutil.copyfile(source.parent / name, to / name)
    else:
        (to / CONFIG).write_text("{}\n", encoding="utf-8")
    save_file(weights, to / WEIGHTS)
    return to


def _weights(source: Path) -> dict[str, Tensor]:
    try:
        content = torch.load(source, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        raise CheckpointError(
            f"{source} does not load as weights only", expected="a pickle of tensors"
        ) from error
    content = content.get("model", content) if isinstance(content, dict) else None
    if not content or not all(isinstance(tensor, Tensor) for tensor in content.values()):
        raise CheckpointError(f"{source} holds no state dict", expected="names and tensors")
    return {
        name.removeprefix("_orig_mod."): tensor.clone().contiguous()
        for name, tensor in content.items()
    }
