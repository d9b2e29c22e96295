"""What the routes stand on: the open index, the model's process and the settings."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from indexer.images.region import Region
from indexer.index import Index
from indexer.types import Encoded
from search_api.access import Keyring
from search_api.fetch import Fetcher
from search_api.model.worker import ModelWorker
from search_api.quota import Quotas
from search_api.settings import Settings
from search_api.upkeep import Upkeep


@dataclass(frozen=True, slots=True)
class Service:
    """One running service."""

    settings: Settings
    index: Index
    model: ModelWorker
    keyring: Keyring
    quotas: Quotas
    upkeep: Upkeep
    fetcher: Fetcher

    async def encode(
        self, data: bytes, *, keep: bool = False, region: Region | None = None
    ) -> Encoded:
        """Encode an uploaded image, or the surroundings of a region, within the limits of the
        settings; `keep`: with what the gallery keeps of it.

        Raises ImageRejected, Overloaded or ModelUnavailable.
        """
        return await self.model.encode(
            data,
            self.settings.limits,
            keep=keep,
            region=region,
            timeout=self.settings.model_timeout,
        )


@asynccontextmanager
async def open_service(settings: Settings) -> AsyncIterator[Service]:
    """Open the index, load its encoder and gallery and use each once, so that the first
    request waits for nothing.

    Raises NotFound, IndexDamaged, or CheckpointError when the model does not start.
    """
    with await run_in_threadpool(Index.open, settings.index) as index:
        model = ModelWorker(
            [sys.executable, "-m", "search_api.model.process", str(settings.index)],
            capacity=settings.max_queue,
            batch=settings.max_batch,
            hung_after=settings.hung_after,
            kill_after=settings.kill_after,
        )
        try:
            await model.start()
            await run_in_threadpool(index.gallery)
            keyring = Keyring(index.store, required=settings.auth == "required")
            quotas = Quotas(settings.key_rate, settings.key_requests)
            upkeep = Upkeep(index)
            fetcher = Fetcher(settings.url_hosts, settings.max_upload_bytes)
            keeping = asyncio.create_task(upkeep.run())
            try:
                yield Service(settings, index, model, keyring, quotas, upkeep, fetcher)
            finally:
                keeping.cancel()
                await asyncio.gather(keeping, return_exceptions=True)
        finally:
            await model.stop()


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


ServiceOf = Annotated[Service, Depends(_service)]
"""The service of a request."""
