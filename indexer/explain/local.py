"""An image whose maps are made with the model in this process."""

from typing import TYPE_CHECKING, Final, Self

import numpy as np

from indexer.images import Limits
from indexer.index import Index
from indexer.index.encoding import encode, prepare
from indexer.maps import rollout
from indexer.types import Bool, Encoded, Float32, Masked

if TYPE_CHECKING:
    from indexer.encoder import VitEncoder

CHUNK: Final = 32
"""So many masked inputs are in memory at once."""


class Local:
    """An encoded image, and what `Vary` and `Attend` ask of the model."""

    def __init__(self, encoder: "VitEncoder", encoded: Encoded, inputs: Float32) -> None:
        self._encoder, self.encoded, self._inputs = encoder, encoded, inputs

    @classmethod
    def of(cls, index: Index, data: bytes, limits: Limits = Limits()) -> Self:  # noqa: B008 frozen
        """Decode and encode. Raises ImageRejected."""
        prepared = prepare(index.encoder, data, limits, thumbnail=True)
        return cls(index.encoder, encode(index.encoder, [prepared])[0], prepared.inputs)

    def vary(self, masks: Bool) -> Masked:
        """See `Vary`."""
        starts = range(0, len(masks), CHUNK)
        parts = [
            self._encoder.encode_masked(self._inputs, masks[start : start + CHUNK])
            for start in starts
        ]
        taps = np.concatenate([part.taps for part in parts])
        evidence = [part.evidence for part in parts if part.evidence is not None]
        return Masked(taps, np.concatenate(evidence) if evidence else None)

    def attend(self) -> Float32:
        """See `Attend`."""
        return rollout(self._encoder.attention(self._inputs))
