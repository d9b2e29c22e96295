"""An uploaded image at which the model's process looks again and again, for maps of it."""

from functools import partial
from typing import Final

from anyio import from_thread

from indexer.explain import in_chunks
from indexer.types import Bool, Encoded, Float32, Masked
from search_api.service import Service

MASKS_AT_ONCE: Final = 16
"""Encodings in one job: between the jobs of one map, other uploads have their turn."""


class Remote:
    """`indexer.explain.Looker` for a worker thread of the service; each look is a job of the
    bounded queue, and raises what `Service.encode` does."""

    def __init__(self, service: Service, data: bytes, encoded: Encoded) -> None:
        self.encoded = encoded
        self._model, self._data = service.model, data
        self._limits, self._timeout = service.settings.limits, service.settings.model_timeout

    def vary(self, masks: Bool) -> Masked:
        """See `Looker`."""
        look = partial(self._model.vary, self._data, self._limits, timeout=self._timeout)
        return in_chunks(masks, MASKS_AT_ONCE, partial(from_thread.run, look))

    def attend(self) -> Float32:
        """See `Looker`."""
        look = partial(self._model.attend, self._data, self._limits, timeout=self._timeout)
        return from_thread.run(look).rollout
