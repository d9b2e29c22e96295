"""What the routes stand on: the open index, the model's worker and the settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from indexer.index import Index
from search_api.access import Keyring
from search_api.quota import Quotas
from search_api.settings import Settings
from search_api.worker import ModelWorker


@dataclass(frozen=True, slots=True)
class Service:
    """One running service."""

    settings: Settings
    index: Index
    worker: ModelWorker
    keyring: Keyring
    quotas: Quotas


@asynccontextmanager
async def open_service(settings: Settings) -> AsyncIterator[Service]:
    """Open the index, load its encoder and gallery and use each once, so that the first
    request waits for nothing.

    Raises NotFound, IndexDamaged, CheckpointError or PassportMismatch.
    """
    with await run_in_threadpool(Index.open, settings.index) as index:
        worker = ModelWorker(settings.max_queue, settings.hung_after)
        try:
            await worker.run(lambda: _warm_up(index), timeout=None)
            await run_in_threadpool(index.gallery)
            keyring = Keyring(index.store, required=settings.auth == "required")
            quotas = Quotas(settings.key_rate, settings.key_requests)
            yield Service(settings, index, worker, keyring, quotas)
        finally:
            worker.stop()


def _warm_up(index: Index) -> None:
    size = index.encoder.checkpoint.recipe.output_size
    index.encoder.encode([np.zeros((*size, 3), np.uint8)])


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


ServiceOf = Annotated[Service, Depends(_service)]
"""The service of a request."""
