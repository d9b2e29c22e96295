"""A gallery that grows needs new vectors and fits: made by another process, so that no request
waits for them. `python -m search_api.upkeep INDEX` is that process.
"""

import asyncio
import contextlib
import logging
import os
import sys
from typing import Final

from fastapi.concurrency import run_in_threadpool

from indexer.errors import LineupError
from indexer.index import Index

PAUSE_SECONDS: Final = 10.0
NICE: Final = 10

log = logging.getLogger(__name__)


class Upkeep:
    """Looks after each ingest, at most every `PAUSE_SECONDS`, whether derived files are due."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._grown = asyncio.Event()

    def grown(self) -> None:
        """The gallery has changed."""
        self._grown.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self._grown.wait()
            self._grown.clear()
            try:
                if await run_in_threadpool(self._index.due):
                    await self._refresh()
            except (LineupError, OSError) as error:  # busy, or no process to be had
                self._failed(str(error))
            await asyncio.sleep(PAUSE_SECONDS)

    async def _refresh(self) -> None:
        command = (sys.executable, "-m", "search_api.upkeep", str(self._index.path))
        process = await asyncio.create_subprocess_exec(*command)
        try:
            if await process.wait():
                self._failed(f"it ended with code {process.returncode}")
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.terminate()

    def _failed(self, why: str) -> None:
        log.error("upkeep is tried again: %s", why)
        self.grown()


def main() -> None:
    """Refresh one index, out of the way of everybody else."""
    os.nice(NICE)
    with Index.open(sys.argv[1]) as index:
        index.refresh("search-api")


if __name__ == "__main__":
    main()
