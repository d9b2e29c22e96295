"""The seam between an encoder and what computes for it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from indexer.types import Float32


class Outputs(NamedTuple):
    """What an engine yields for n inputs, as `indexer.types.Encodings` describes it.

    `logits` is (n, classes) float32, (n, 0) for a tower without a head.
    """

    taps: Float32
    patches: Float32
    logits: Float32


class Engine(Protocol):
    """Computes `indexer.encoder.graph.Graph` for one checkpoint.

    `precision` is its class of arithmetic.
    """

    @property
    def precision(self) -> str: ...
    def run(self, inputs: Sequence[Float32]) -> Iterator[Outputs]:
        """Outputs for inputs (3, height, width), in their order, several at a time.

        From any thread, also at once. What one input yields does not depend on the others."""
        ...
