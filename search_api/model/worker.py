"""The service's side of the model: a bounded queue, batches, and a process that is replaced when
it dies or hangs.

A thread that hangs in native code cannot be ended; a process can.
"""

import asyncio
import contextlib
import logging
import time
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any, Final, cast

from indexer.errors import CheckpointError, ImageRejected
from indexer.images import Limits
from indexer.images.region import Region
from indexer.types import Bool, Encoded, EncodedRegion, Masked
from search_api import metrics
from search_api.model import wire
from search_api.model.wire import Attended, Outcome, Upload
from search_api.problems import ModelUnavailable, Overloaded

PING_SECONDS: Final = 0.5
"""An idle process is asked so often whether it still answers."""
RESTART_SECONDS: Final = (0.0, 1.0, 5.0, 30.0)
"""Pauses before a restart, growing while the process does not even start."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Child:
    process: Process
    jobs: asyncio.StreamWriter
    replies: asyncio.StreamReader


@dataclass(slots=True)
class _Job:
    upload: Upload
    outcome: "asyncio.Future[Outcome]"
    suspect: bool = False
    """Its batch ended the process: it is tried once more, alone."""


class ModelWorker:
    """Encodes uploads in the order in which they came, as many at once as wait, up to `batch`.

    `capacity` uploads may wait. A process that makes no step for `hung_after` seconds is in
    trouble; after `kill_after` seconds, or when it ends by itself, it is replaced. Then the
    uploads of its batch are tried again one by one, so that only the guilty one fails.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        capacity: int,
        batch: int,
        hung_after: float,
        kill_after: float,
    ) -> None:
        self._command, self._capacity, self._batch = command, capacity, batch
        self._hung_after, self._kill_after = hung_after, kill_after
        self._waiting: deque[_Job] = deque()
        self._arrived = asyncio.Event()
        self._child: _Child | None = None
        self._stepped_at = 0.0
        self._supervisor: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the process and wait until it can work. Raises CheckpointError."""
        try:
            self._child = await self._started()
        except (EOFError, ConnectionError) as error:
            raise CheckpointError(
                "the model's process ended before it could work", do="see the service's log"
            ) from error
        self._supervisor = asyncio.create_task(self._supervise(self._child))

    async def stop(self) -> None:
        """End the process; what waits is refused."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._supervisor
        if self._child is not None:
            await _end(self._child.process)
        for job in self._waiting:
            _fail(job, "the service is stopping")

    async def encode(
        self,
        data: bytes,
        limits: Limits,
        *,
        thumbnail: bool = False,
        keep: bool = False,
        timeout: float | None = None,
    ) -> Encoded:
        """The encoding of an image; `keep`: with the patches that the gallery keeps.

        Raises ImageRejected, Overloaded when the queue is full, and ModelUnavailable when it is
        not done in `timeout` seconds or ends the process.
        """
        return cast(Encoded, await self._outcome(Upload(data, limits, thumbnail, keep), timeout))

    async def encode_region(
        self, data: bytes, limits: Limits, region: Region, *, timeout: float | None = None
    ) -> EncodedRegion:
        """The encoding of a region's surroundings; raises as `encode` does."""
        upload = Upload(data, limits, region=region)
        return cast(EncodedRegion, await self._outcome(upload, timeout))

    async def vary(
        self, data: bytes, limits: Limits, masks: Bool, *, timeout: float | None = None
    ) -> Masked:
        """The encodings of an image with patches greyed out; raises as `encode` does."""
        return cast(Masked, await self._outcome(Upload(data, limits, masks=masks), timeout))

    async def attend(
        self, data: bytes, limits: Limits, *, timeout: float | None = None
    ) -> Attended:
        """The model's attention on an image; raises as `encode` does."""
        return cast(Attended, await self._outcome(Upload(data, limits, attend=True), timeout))

    @property
    def waiting(self) -> int:
        """How many uploads wait."""
        return len(self._waiting)

    @property
    def pid(self) -> int | None:
        """The process, None while there is none."""
        return None if self._child is None else self._child.process.pid

    @property
    def trouble(self) -> str | None:
        """Why the model cannot be relied on, None when it can."""
        if self._child is None:
            return "the model's process is being started again"
        if time.monotonic() - self._stepped_at > self._hung_after:
            return f"the model has made no step for more than {self._hung_after:g} s"
        return None

    async def _outcome(
        self, upload: Upload, timeout: float | None
    ) -> Encoded | EncodedRegion | Masked | Attended:
        if len(self._waiting) >= self._capacity:
            raise Overloaded(
                f"{self._capacity} uploads are waiting for the model", do="try again later"
            )
        job = _Job(upload, asyncio.get_running_loop().create_future())
        self._waiting.append(job)
        self._arrived.set()
        try:
            async with asyncio.timeout(timeout):
                outcome = await job.outcome
        except TimeoutError:
            raise ModelUnavailable(
                f"the model has not answered within {timeout:g} s", do="try again later"
            ) from None
        if isinstance(outcome, ImageRejected):
            raise outcome
        return outcome

    async def _supervise(self, child: _Child) -> None:
        while True:
            try:
                await self._work(child)
            except (EOFError, ConnectionError, TimeoutError) as error:
                log.error("the model's process is replaced: %s", str(error) or "no answer")
            self._child = None
            await _end(child.process)
            self._child = child = await self._replacement()

    async def _replacement(self) -> _Child:
        for pause in chain(RESTART_SECONDS, repeat(RESTART_SECONDS[-1])):
            metrics.RESTARTS.inc()
            await asyncio.sleep(pause)
            try:
                return await self._started()
            except (CheckpointError, EOFError, ConnectionError) as error:
                log.error("the model's process does not start: %s", error)
        raise AssertionError  # the pauses do not end

    async def _started(self) -> _Child:
        process = await asyncio.create_subprocess_exec(*self._command, stdin=PIPE, stdout=PIPE)
        child = _Child(
            process,
            cast(asyncio.StreamWriter, process.stdin),
            cast(asyncio.StreamReader, process.stdout),
        )
        try:
            header, _ = await self._receive(child)
            if failed := header.get("failed"):
                raise CheckpointError(**failed)
        except BaseException:
            await _end(process)
            raise
        return child

    async def _work(self, child: _Child) -> None:
        """Feed a process. Raises EOFError, ConnectionError or TimeoutError when it fails."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PING_SECONDS):
                    await self._arrived.wait()
            jobs = self._next_batch()
            try:
                outcomes = await self._exchange(child, [job.upload for job in jobs])
            except (EOFError, ConnectionError, TimeoutError):
                self._suspect(jobs)
                raise
            for job, outcome in zip(jobs, outcomes, strict=True):
                if not job.outcome.done():
                    job.outcome.set_result(outcome)

    def _next_batch(self) -> list[_Job]:
        """The jobs to do next; none is a question whether the process answers."""
        jobs: list[_Job] = []
        while self._waiting and len(jobs) < self._batch:
            if self._waiting[0].outcome.done():  # given up
                self._waiting.popleft()
            elif jobs and (jobs[0].suspect or self._waiting[0].suspect):
                break
            else:
                jobs.append(self._waiting.popleft())
        if not self._waiting:
            self._arrived.clear()
        return jobs

    async def _exchange(self, child: _Child, uploads: Sequence[Upload]) -> list[Outcome]:
        if child.jobs.is_closing():  # uvloop would raise RuntimeError on a write
            raise ConnectionResetError("it has ended")
        if uploads:
            metrics.BATCH.observe(len(uploads))
        async with asyncio.timeout(self._kill_after) as patience:
            messages = [wire.pack({"uploads": len(uploads)}), *map(wire.pack_upload, uploads)]
            child.jobs.writelines(messages)
            await child.jobs.drain()
            while "outcomes" not in (await self._receive(child))[0]:
                patience.reschedule(asyncio.get_running_loop().time() + self._kill_after)
            return [wire.to_outcome(*await self._receive(child), each) for each in uploads]

    async def _receive(self, child: _Child) -> tuple[dict[str, Any], bytes]:
        message = await wire.receive(child.replies.readexactly)
        self._stepped_at = time.monotonic()
        return message

    def _suspect(self, jobs: list[_Job]) -> None:
        """Try the jobs of a batch that ended the process again; one that was alone fails."""
        if len(jobs) == 1:
            _fail(jobs[0], "the model's process ended, or hung, at this image")
            return
        for job in jobs:
            job.suspect = True
        self._waiting.extendleft(reversed(jobs))
        self._arrived.set()


def _fail(job: _Job, why: str) -> None:
    if not job.outcome.done():
        job.outcome.set_exception(ModelUnavailable(why, do="try again later"))


async def _end(process: Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    await process.wait()
