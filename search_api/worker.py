"""Model work on one thread of its own, behind a bounded queue.

One at a time, because a forward pass uses all cores anyway and decoded images are large; so
memory stays flat under load, and nothing that does not need the model waits for it.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from search_api.problems import ModelUnavailable, Overloaded

T = TypeVar("T")


class ModelWorker:
    """Runs jobs in the order in which they came.

    `capacity` jobs may wait; a job that runs for more than `hung_after` seconds counts as hung.
    """

    def __init__(self, capacity: int, hung_after: float) -> None:
        self._jobs: queue.Queue[tuple[Future[Any], Callable[[], Any]] | None] = queue.Queue(
            capacity
        )
        self._hung_after = hung_after
        self._started_at: float | None = None
        # A daemon: a hung forward pass cannot be ended, and must not keep the process alive.
        self._thread = threading.Thread(target=self._work, name="model", daemon=True)
        self._thread.start()

    async def run(self, job: Callable[[], T], timeout: float | None) -> T:
        """The result of `job`, or what it raised.

        Raises Overloaded when the queue is full, ModelUnavailable when the thread is dead or
        `timeout` seconds are over (a job that has not begun by then is dropped).
        """
        if not self._thread.is_alive():
            raise ModelUnavailable("the model's thread is dead", do="restart the service")
        future: Future[T] = Future()
        try:
            self._jobs.put_nowait((future, job))
        except queue.Full:
            raise Overloaded(
                f"{self._jobs.maxsize} uploads are waiting for the model", do="try again later"
            ) from None
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), timeout)
        except TimeoutError:
            raise ModelUnavailable(
                f"the model has not answered within {timeout:g} s", do="try again later"
            ) from None

    @property
    def trouble(self) -> str | None:
        """Why the worker cannot be relied on, None when it can."""
        if not self._thread.is_alive():
            return "the model's thread is dead"
        started_at = self._started_at
        if started_at is not None and time.monotonic() - started_at > self._hung_after:
            return f"the model has been at one upload for more than {self._hung_after:g} s"
        return None

    def stop(self) -> None:
        """End after the job in work; those that wait are cancelled."""
        with suppress(queue.Empty):
            while waiting := self._jobs.get_nowait():
                waiting[0].cancel()
        self._jobs.put_nowait(None)

    def _work(self) -> None:
        while job := self._jobs.get():
            future, work = job
            if not future.set_running_or_notify_cancel():
                continue
            self._started_at = time.monotonic()
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001 raised again by whoever awaits it
                future.set_exception(error)
            self._started_at = None
