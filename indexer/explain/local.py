"""An image at which the model in this process looks."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Self

import numpy as np

from indexer.index import Index
from indexer.index.encoding import encode, prepare
from indexer.maps import rollout
from indexer.types import Bool, Encoded, Float32, Masked

if TYPE_CHECKING:
    from indexer.encoder import VitEncoder


class Local:
    """`indexer.explain.Looker` of an image whose prepared `inputs` are at hand."""

    def __init__(self, encoder: "VitEncoder", encoded: Encoded, inputs: Float32) -> None:
        self.encoded = encoded
        self._encoder, self._inputs = encoder, inputs

    @classmethod
    def of(cls, index: Index, data: bytes) -> Self:
        """Decode and encode. Raises ImageRejected."""
        prepared = prepare(index.encoder, data, thumbnail=True)
        [encoded] = encode(index.encoder, [prepared])
        return cls(index.encoder, encoded, prepared.inputs)

    def vary(self, masks: Bool) -> Masked:
        """See `Looker`."""
        encode_some = partial(self._encoder.encode_masked, self._inputs)
        return in_chunks(masks, self._encoder.batch, encode_some)

    def attend(self) -> Float32:
        """See `Looker`."""
        return rollout(self._encoder.attention(self._inputs))


def in_chunks(masks: Bool, size: int, encode_some: Callable[[Bool], Masked]) -> Masked:
    """Encode masks (n, rows, columns), n at least 1, up to `size` at once."""
    starts = range(0, len(masks), size)
    parts = [encode_some(masks[start : start + size]) for start in starts]
    evidence = [part.evidence for part in parts if part.evidence is not None]
    return Masked(
        np.concatenate([part.taps for part in parts]),
        np.concatenate(evidence) if evidence else None,
    )
