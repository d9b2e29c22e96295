"""Upkeep goes on after a failure."""

import asyncio
from pathlib import Path

import pytest

from indexer.errors import IndexBusy
from search_api import upkeep
from search_api.upkeep import Upkeep


def test_a_failure_is_logged_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looked = []

    class Busy:
        path = tmp_path

        def due(self) -> bool:
            looked.append(True)
            if len(looked) == 1:
                raise IndexBusy("somebody else has been writing")
            return False

    async def work() -> None:
        keeping = Upkeep(Busy())  # type: ignore[arg-type]
        keeping.grown()
        running = asyncio.create_task(keeping.run())
        async with asyncio.timeout(10):
            while len(looked) < 2:
                await asyncio.sleep(0.01)
        running.cancel()

    monkeypatch.setattr(upkeep, "PAUSE_SECONDS", 0.01)
    asyncio.run(work())
    assert "upkeep is tried again: somebody else has been writing" in caplog.text
