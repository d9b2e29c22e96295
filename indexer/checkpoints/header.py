"""What a safetensors file holds, read from its header alone."""

import hashlib
import json
import struct
from pathlib import Path

from indexer.errors import CheckpointError

Shapes = dict[str, tuple[int, ...]]
"""Tensor name -> shape."""

_LONGEST_HEADER = 100_000_000
"""Bytes; the limit of the format's own reader."""


def read_shapes(path: Path) -> Shapes:
    """Names and shapes of the tensors in a safetensors file.

    The format: 8 bytes little-endian header length, then JSON, then the data
    (https://github.com/huggingface/safetensors#format). Raises CheckpointError.
    """
    with path.open("rb") as file:
        prefix = file.read(8)
        length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else 0
        text = file.read(length) if 0 < length <= _LONGEST_HEADER else b""
    try:
        header = json.loads(text)
        tensors = {
            name: tuple(entry["shape"]) for name, entry in header.items() if name != "__metadata__"
        }
        end = (
            8
            + length
            + max(entry["data_offsets"][1] for name, entry in header.items() if name in tensors)
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"{path} is no safetensors file", do="copy or pull it again"
        ) from error
    if path.stat().st_size != end:
        raise CheckpointError(
            f"{path} has {path.stat().st_size} bytes", expected=f"{end}", do="copy or pull it again"
        )
    return tensors


def sha256_of(path: Path) -> str:
    """sha256 of a file's bytes, 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
