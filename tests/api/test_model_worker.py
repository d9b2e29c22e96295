"""The model's process: order, batches, bounds, and what happens when it dies, hangs or lies.

The processes are real and speak the real protocol; what they do is said by the bytes they get.
The event loop is the one that the service runs on.
"""

import asyncio
import io
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.errors import CheckpointError, ImageRejected
from indexer.images import Limits
from indexer.images.region import Region
from indexer.types import Encoded, EncodedRegion, ImageFacts, Masked, Patches
from search_api.model import wire
from search_api.model.worker import ModelWorker
from search_api.problems import ModelUnavailable, Overloaded

CHILD = """
import os, time
import numpy as np
from indexer.errors import ImageRejected
from indexer.types import Encoded, ImageFacts
from search_api.model import loop

def one(data, count):
    word, _, number = data.decode().partition(" ")
    if word == "crash":
        os._exit(3)
    if word == "sleep":
        time.sleep(float(number))
    if word == "garble":
        os.write(replies.fileno(), b"\\xff" * 64)
    if word == "refuse":
        return ImageRejected("truncated", "half of it", expected="all", do="send it again")
    facts = ImageFacts(word, len(data), "PNG", "RGB", count, 1, 1, False)
    return Encoded(facts, np.zeros((1, 4), "f4"), np.zeros((1, 1, 4), "f4"), None, None, None)

def work(uploads, step):
    outcomes = []
    for upload in uploads:
        outcomes.append(one(upload.data, len(uploads)))
        step()
    return outcomes

jobs, replies = loop.streams()
print("a library says something on stdout", flush=True)
loop.serve(jobs, replies, work)
"""


@asynccontextmanager
async def working(**options: Any) -> AsyncIterator[ModelWorker]:
    defaults = {"capacity": 10, "batch": 4, "hung_after": 0.4, "kill_after": 60.0}
    worker = ModelWorker([sys.executable, "-c", CHILD], **{**defaults, **options})
    await worker.start()
    try:
        yield worker
    finally:
        await worker.stop()


def ask(worker: ModelWorker, data: str, timeout: float | None = None) -> "asyncio.Task[Encoded]":
    return asyncio.create_task(worker.encode(data.encode(), Limits(), timeout=timeout))


async def begun(worker: ModelWorker, data: str) -> "asyncio.Task[Encoded]":
    """A job that the process has in hand, alone."""
    task = ask(worker, data)
    await asyncio.sleep(0)
    await until(lambda: worker.waiting == 0)
    return task


async def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


async def failure(task: Awaitable[object]) -> str:
    with pytest.raises(ModelUnavailable) as failed:
        await task
    return failed.value.found


def test_batches_bounds_and_refusals() -> None:
    async def scenario() -> None:
        async with working(capacity=5) as worker:
            busy = await begun(worker, "sleep 0.7")
            tasks = [ask(worker, f"{name}") for name in ("a", "b", "refuse", "d", "e")]
            given_up = tasks.pop()
            await asyncio.sleep(0)
            with pytest.raises(Overloaded, match="5 uploads are waiting"):
                await ask(worker, "f")
            given_up.cancel()
            await asyncio.sleep(0.5)
            assert worker.trouble == "the model has made no step for more than 0.4 s"
            assert (await busy).facts.width == 1
            done = await asyncio.gather(*tasks, return_exceptions=True)
            refused = done.pop(2)
            assert [each.facts.sha256 for each in done] == ["a", "b", "d"]
            assert {each.facts.width for each in done} == {4}, "they were encoded together"
            assert (refused.reason, str(refused)) == (
                "truncated",
                "half of it; expected all; send it again",
            )
            assert worker.trouble is None
            late = ask(worker, "sleep 0.5", timeout=0.1)
            assert await failure(late) == "the model has not answered within 0.1 s"
            assert (await ask(worker, "after")).facts.sha256 == "after"

    uvloop.run(scenario())


@pytest.mark.parametrize("fault", ["crash", "garble"])
def test_only_the_image_that_ends_the_process_fails(fault: str) -> None:
    async def scenario() -> None:
        async with working() as worker:
            first = worker.pid
            busy = await begun(worker, "sleep 0.3")
            tasks = [ask(worker, each) for each in ("a", fault, "b")]
            assert await failure(tasks[1]) == "the model's process ended, or hung, at this image"
            assert [(await tasks[row]).facts.sha256 for row in (0, 2)] == ["a", "b"]
            assert (await busy).facts.sha256 == "sleep"
            assert worker.pid != first
            assert worker.trouble is None

    uvloop.run(scenario())


@pytest.mark.parametrize(
    ("ending", "trouble"),
    [
        (signal.SIGKILL, "the model's process is being started again"),
        (signal.SIGSTOP, "the model has made no step for more than 0.9 s"),
    ],
)
def test_a_dead_or_stopped_process_is_noticed_while_idle_and_replaced(
    ending: signal.Signals, trouble: str
) -> None:
    async def scenario() -> None:
        async with working(hung_after=0.9, kill_after=2.0) as worker:
            first = worker.pid
            assert first is not None
            await asyncio.sleep(0.6)
            assert worker.trouble is None
            os.kill(first, ending)
            await until(lambda: worker.trouble is not None, seconds=5)
            assert worker.trouble == trouble
            assert (await ask(worker, "a")).facts.sha256 == "a"
            assert worker.trouble is None
            assert worker.pid != first
            with pytest.raises(ProcessLookupError):
                os.kill(first, 0)

    uvloop.run(scenario())


def test_a_process_that_cannot_start_says_why() -> None:
    code = (
        "import sys; from search_api.model import wire;"
        "sys.stdout.buffer.write(wire.pack({'failed':"
        " {'found': 'no weights', 'expected': 'some', 'do': 'fetch'}}))"
    )

    async def scenario(command: list[str]) -> None:
        limits: dict[str, Any] = {"hung_after": 1.0, "kill_after": 1.0}
        await ModelWorker(command, capacity=1, batch=1, **limits).start()

    with pytest.raises(CheckpointError, match="no weights; expected some; fetch"):
        uvloop.run(scenario([sys.executable, "-c", code]))
    with pytest.raises(CheckpointError, match="ended before it could work"):
        uvloop.run(scenario(["false"]))


def test_the_process_ends_with_the_service() -> None:
    async def scenario() -> int:
        async with working() as worker:
            assert worker.pid is not None
            return worker.pid

    pid = uvloop.run(scenario())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


# -- messages


@given(
    seed=st.integers(0, 2**32 - 1),
    headless=st.booleans(),
    thumbnail=st.none() | st.binary(min_size=1, max_size=40),
    keeps=st.booleans(),
    score=st.floats(0, 1),
)
@settings(max_examples=30, deadline=None)
def test_an_outcome_survives_the_wire(
    seed: int, headless: bool, thumbnail: bytes | None, keeps: bool, score: float
) -> None:
    rng = np.random.default_rng(seed)
    sent = Encoded(
        facts=FACTS,
        taps=rng.standard_normal((3, 8), np.float32),
        patches=rng.standard_normal((2, 8, 2), np.float32).swapaxes(1, 2),
        logits=None if headless else rng.standard_normal(2, np.float32),
        score=None if headless else score,
        thumbnail=thumbnail,
        kept=Patches(
            rng.integers(-127, 128, (4, 8), np.int8),
            rng.random(4, np.float32),
            rng.random((4, 4), np.float32),
        )
        if keeps
        else None,
    )
    got = uvloop.run(received(wire.pack_outcome(sent)))
    assert isinstance(got, Encoded)
    assert (got.facts, got.score, got.thumbnail) == (sent.facts, sent.score, sent.thumbnail)
    for name in ("taps", "patches", "logits"):
        np.testing.assert_array_equal(getattr(got, name), getattr(sent, name), strict=True)
    assert (got.kept is None) == (sent.kept is None)
    if got.kept is not None and sent.kept is not None:
        for name in ("codes", "scales", "boxes"):
            np.testing.assert_array_equal(getattr(got.kept, name), getattr(sent.kept, name))


WHOLE = wire.Upload(b"", Limits())
PART = wire.Upload(b"", Limits(), region=Region(0, 0, 1, 1))
FACTS = ImageFacts("ab" * 32, 3, "PNG", "RGB", 4, 5, 1, False)


async def received(message: bytes, upload: wire.Upload = WHOLE) -> wire.Outcome:
    stream = asyncio.StreamReader()
    stream.feed_data(message)
    stream.feed_eof()
    return wire.to_outcome(*await wire.receive(stream.readexactly), upload)


def test_the_outcome_of_a_region_survives_the_wire() -> None:
    patches = np.random.default_rng(0).standard_normal((2, 3, 5, 4), np.float32)
    message = wire.pack_outcome(EncodedRegion(FACTS, patches))
    got = uvloop.run(received(message, PART))
    assert isinstance(got, EncodedRegion)
    assert got.facts == FACTS
    np.testing.assert_array_equal(got.patches, patches, strict=True)
    with pytest.raises(wire.Garbled, match="EncodedRegion for Encoded"):
        uvloop.run(received(message))


@given(st.integers(0, 20), st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_masks_survive_the_wire(count: int, rows: int, columns: int, seed: int) -> None:
    masks = np.random.default_rng(seed).random((count, rows, columns)) < 0.5
    sent = wire.Upload(b"image", Limits(), masks=masks)
    got = wire.to_upload(*wire.read(io.BytesIO(wire.pack_upload(sent))))
    assert got.masks is not None
    np.testing.assert_array_equal(got.masks, masks, strict=True)
    assert replace(got, masks=None) == wire.Upload(b"image", Limits())


def test_what_comes_of_masks_and_of_attention_survives_the_wire() -> None:
    taps, evidence = np.ones((2, 3, 4), np.float32), np.array([0.5, -1], np.float32)
    masks = wire.Upload(b"", Limits(), masks=np.zeros((2, 1, 1), bool))
    for sent in (Masked(taps, evidence), Masked(taps, None)):
        got = uvloop.run(received(wire.pack_outcome(sent), masks))
        assert isinstance(got, Masked)
        np.testing.assert_array_equal(got.taps, taps, strict=True)
        np.testing.assert_array_equal(got.evidence, sent.evidence)
    message = wire.pack_outcome(wire.Attended(evidence))
    got = uvloop.run(received(message, wire.Upload(b"", Limits(), attend=True)))
    assert isinstance(got, wire.Attended)
    np.testing.assert_array_equal(got.rollout, evidence, strict=True)
    with pytest.raises(wire.Garbled, match="Attended for Masked"):
        uvloop.run(received(message, masks))


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_whatever_a_process_says_is_an_outcome_or_garbled(said: bytes) -> None:
    with suppress(wire.Garbled, EOFError):
        assert isinstance(uvloop.run(received(said)), Encoded | ImageRejected)


@pytest.mark.parametrize(
    ("header", "blob"),
    [
        ({}, b""),
        ({"facts": {}, "score": 1}, b""),
        ({"rejected": "x", "found": "y", "colour": "red"}, b""),
        ({"facts": {"sha256": "x"}, "score": 0.5}, b"\x08\0\0\0\0\0\0\0{}      "),
    ],
)
def test_a_message_with_other_contents_is_garbled(header: dict[str, Any], blob: bytes) -> None:
    with pytest.raises(wire.Garbled):
        uvloop.run(received(wire.pack(header, blob)))
