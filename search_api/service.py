"""What the routes stand on: the open index, the model's process and the settings."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool

from indexer.errors import CheckpointError
from indexer.images.region import Region
from indexer.index import Index
from indexer.index.kept_queries import KeptQueries
from indexer.types import Encoded, EncodedRegion
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
    kept_queries: KeptQueries

    async def encode(self, data: bytes, *, thumbnail: bool = False, keep: bool = False) -> Encoded:
        """Encode an uploaded image within the limits of the settings; `keep`: with the patches
        that the gallery keeps of it.

        Raises ImageRejected, Overloaded or ModelUnavailable.
        """
        limits, timeout = self.settings.limits, self.settings.model_timeout
        return await self.model.encode(
            data, limits, thumbnail=thumbnail, keep=keep, timeout=timeout
        )

    async def encode_query(
        self, data: bytes, author: str, *, thumbnail: bool = False, keep: bool = False
    ) -> Encoded:
        """Encode an image that `author` asks about, with `keep` as for the gallery; the image
        itself is kept only where the settings say so.

        Raises what `encode` does.
        """
        encoded = await self.encode(data, thumbnail=thumbnail, keep=keep)
        await self._asked(data, author)
        return encoded

    async def encode_region(self, data: bytes, region: Region, author: str) -> EncodedRegion:
        """The same for the surroundings of a region of an image."""
        limits, timeout = self.settings.limits, self.settings.model_timeout
        encoded = await self.model.encode_region(data, limits, region, timeout=timeout)
        await self._asked(data, author)
        return encoded

    async def _asked(self, data: bytes, author: str) -> None:
        if self.settings.keep_queries:
            await run_in_threadpool(self.kept_queries.keep, data, author)


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
            await _started(model, settings)
            await run_in_threadpool(index.gallery)
            keyring = Keyring(index.store, required=settings.auth == "required")
            quotas = Quotas(settings.key_rate, settings.key_requests)
            upkeep = Upkeep(index)
            fetcher = Fetcher(settings.url_hosts, settings.max_upload_bytes)
            kept = KeptQueries(index)
            keeping = asyncio.create_task(upkeep.run())
            try:
                yield Service(settings, index, model, keyring, quotas, upkeep, fetcher, kept)
            finally:
                keeping.cancel()
                await asyncio.gather(keeping, return_exceptions=True)
        finally:
            await model.stop()


async def _started(model: ModelWorker, settings: Settings) -> None:
    """Raises CheckpointError, which says how the index can have its checkpoint again."""
    try:
        await model.start()
    except CheckpointError as error:
        raise CheckpointError(
            f"the model of {settings.index} does not start: {error.found}",
            expected=error.expected,
            do=error.do or "put the checkpoint back where the index found it: indexer info",
        ) from error


def service_of(request: Request) -> Service:
    """The service of a request."""
    service: Service = request.app.state.service
    return service


async def _service(request: Request) -> Service:
    return service_of(request)


ServiceOf = Annotated[Service, Depends(_service)]
"""The service of a request."""
