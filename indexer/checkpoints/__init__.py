"""Checkpoints: weights, configuration and preprocessing of one ViT, found and checked.

Nothing here loads torch: shapes come from the safetensors header.
"""

from indexer.checkpoints.header import sha256_of
from indexer.checkpoints.hub import cache_directory
from indexer.checkpoints.registry import Known, data_directory, list_known, load_registry
from indexer.checkpoints.resolve import is_local, pull, read_checkpoint, resolve
from indexer.checkpoints.values import Architecture, Checkpoint, Head, OperatingPoint

__all__ = [
    "Architecture",
    "Checkpoint",
    "Head",
    "Known",
    "OperatingPoint",
    "cache_directory",
    "data_directory",
    "is_local",
    "list_known",
    "load_registry",
    "pull",
    "read_checkpoint",
    "resolve",
    "sha256_of",
]
