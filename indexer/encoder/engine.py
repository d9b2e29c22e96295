"""The seam between an encoder and what computes for it."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from indexer.checkpoints import Checkpoint
from indexer.encoder.taps import tap_names
from indexer.errors import UsageError
from indexer.types import Float32


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read of a checkpoint: `layers` are tapped, `patch_layer` is the one whose tokens
    are the patches, all counted from 1."""

    checkpoint: Checkpoint
    layers: tuple[int, ...]
    patch_layer: int

    @property
    def taps(self) -> tuple[str, ...]:
        """The names of one view's taps, in their order."""
        return tap_names(self.layers, self.checkpoint.architecture.layers, 1)


class Outputs(NamedTuple):
    """What an engine yields for n inputs, as `indexer.types.Encodings` describes it.

    `logits` is (n, classes) float32, (n, 0) for a tower without a head.
    """

    taps: Float32
    patches: Float32
    logits: Float32


class Engine(Protocol):
    """Computes `indexer.encoder.graph.Graph` for one checkpoint.

    `name` and `precision`, its class of arithmetic (`indexer.precision`), are what a user
    chooses it by; `batch` so many inputs a call suit it.
    """

    @property
    def name(self) -> str: ...
    @property
    def precision(self) -> str: ...
    @property
    def batch(self) -> int: ...
    def run(self, inputs: Sequence[Float32]) -> Iterator[Outputs]:
        """Outputs for inputs (3, height, width), in their order, several at a time.

        From any thread, also at once. What one input yields does not depend on the others."""
        ...


CPU_BATCH = 8
"""Enough to keep every core busy; larger batches gain nothing on a CPU."""


def joined(parts: Iterable[Outputs]) -> Outputs:
    """The outputs of one or more parts as one."""
    return Outputs(*map(np.concatenate, zip(*parts, strict=True)))


def cores() -> int:
    """How many cores this process may use: LINEUP_CORES, where it shares a machine, else all
    that the system lets it have. Raises UsageError."""
    if told := os.environ.get("LINEUP_CORES"):
        if not told.isdigit() or told == "0":
            raise UsageError(f"LINEUP_CORES is {told!r}", expected="a number of cores")
        return int(told)
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
