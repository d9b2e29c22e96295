"""A gallery that grows needs new vectors and fits: made by another process, so that no request
waits for them. `python -m search_api.upkeep INDEX` is that process.
"""

import asyncio
import contextlib
import logging
import os
import sys
from pathlib import Path
from typing import Final

from fastapi.concurrency import run_in_threadpool

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
            if await run_in_threadpool(self._index.due):
                await self._refresh()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _refresh(self) -> None:
        command = (sys.executable, "-m", "search_api.upkeep", str(self._index.path))
        process = await asyncio.create_subprocess_exec(*command)
        try:
            if await process.wait():
                log.error("upkeep ended with code %s; it is tried again", process.returncode)
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.terminate()


def main() -> None:
    """Refresh one index, out of the way of everybody else."""
    os.nice(NICE)
    with Index.open(Path(sys.argv[1])) as index:
        index.refresh("search-api")


if __name__ == "__main__":
    main()
