"""The model's thread: order, bounds, and what is told when it fails."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

import pytest

from search_api.problems import ModelUnavailable, Overloaded
from search_api.worker import ModelWorker


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)


def test_jobs_run_one_at_a_time_in_order_on_another_thread() -> None:
    seen: list[tuple[int, int]] = []

    async def scenario() -> None:
        worker = ModelWorker(capacity=10, hung_after=5)
        jobs = (
            worker.run(lambda n=n: seen.append((n, threading.get_ident())), None) for n in range(8)
        )
        await asyncio.gather(*jobs)
        worker.stop()

    run(scenario())
    assert [number for number, _ in seen] == list(range(8))
    assert len({thread for _, thread in seen}) == 1
    assert seen[0][1] != threading.get_ident()


def test_a_failing_job_fails_alone() -> None:
    async def scenario() -> None:
        worker = ModelWorker(capacity=1, hung_after=5)
        with pytest.raises(ZeroDivisionError):
            await worker.run(lambda: 1 // 0, None)
        assert await worker.run(lambda: 7, None) == 7
        assert worker.trouble is None
        worker.stop()

    run(scenario())


def test_a_full_queue_refuses_and_a_late_job_is_dropped() -> None:
    ran: list[str] = []

    async def scenario() -> None:
        worker, release = ModelWorker(capacity=1, hung_after=0.05), threading.Event()
        busy = asyncio.create_task(worker.run(release.wait, None))
        await asyncio.sleep(0.1)
        assert worker.trouble == "the model has been at one upload for more than 0.05 s"
        late = asyncio.create_task(worker.run(lambda: ran.append("late"), 0.1))
        await asyncio.sleep(0)
        with pytest.raises(Overloaded, match="1 uploads are waiting"):
            await worker.run(lambda: ran.append("refused"), None)
        with pytest.raises(ModelUnavailable, match=r"within 0\.1 s"):
            await late
        release.set()
        assert await busy
        await worker.run(lambda: ran.append("after"), None)
        assert worker.trouble is None
        worker.stop()

    run(scenario())
    assert ran == ["after"]


def test_a_dead_thread_is_told_at_once() -> None:
    async def scenario() -> None:
        worker = ModelWorker(capacity=1, hung_after=5)
        worker.stop()
        while worker.trouble is None:
            await asyncio.sleep(0.01)
        assert worker.trouble == "the model's thread is dead"
        with pytest.raises(ModelUnavailable, match="dead"):
            await worker.run(lambda: None, None)

    run(scenario())


def test_stopping_cancels_what_waits() -> None:
    async def scenario() -> None:
        worker, release = ModelWorker(capacity=2, hung_after=5), threading.Event()
        busy = asyncio.create_task(worker.run(release.wait, None))
        waiting = asyncio.create_task(worker.run(lambda: None, None))
        await asyncio.sleep(0.05)
        worker.stop()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        release.set()
        assert await busy

    run(scenario())
