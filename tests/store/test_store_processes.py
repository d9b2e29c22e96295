"""Several processes on one truth: killed in the middle, or writing at once."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from store_samples import PASSPORT, new_image, sha

from indexer.store import Store

WRITER = Path(__file__).with_name("store_writer.py")


def writer(place, name, commits):
    command = [sys.executable, str(WRITER), str(place), name, str(commits)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("seed", range(3))
def test_a_killed_writer_leaves_the_last_committed_generation(place, seed):
    Store.create(place, PASSPORT).close()
    process = writer(place, "w", 100_000)
    assert process.stdout.readline() == "ready\n"
    time.sleep(random.Random(seed).uniform(0.05, 0.4))
    process.kill()
    told = [int(line) for line in process.stdout if line.endswith("\n")]
    process.wait()
    with Store.open(place) as store:
        assert store.check() == []
        # A commit may have become durable just before it was told.
        assert store.generation - len(told) in (0, 1)
        expected = {sha(f"w-{n}") for n in range(4 * store.generation)}
        assert {image.sha256 for image in store.images(store.ids())} == expected
        assert all(g.added == 4 for g in store.generations())
        with store.commit("build", "after") as txn:
            txn.add([new_image(f"w-{n}") for n in range(4 * store.generation + 4)])
        assert store.counts().images == 4 * store.generation


def test_writers_at_once_lose_nothing(place):
    Store.create(place, PASSPORT).close()
    processes = [writer(place, name, 15) for name in ("u", "v")]
    told = [[int(line) for line in process.stdout.readlines()[1:]] for process in processes]
    assert [process.wait() for process in processes] == [0, 0]
    with Store.open(place) as store:
        assert store.check() == []
        assert sorted(told[0] + told[1]) == list(range(1, 31))
        assert [(g.author, g.added) for g in store.generations()] == [
            ("u" if g in told[0] else "v", 4) for g in range(1, 31)
        ]
        expected = {sha(f"{name}-{n}") for name in "uv" for n in range(60)}
        assert {image.sha256 for image in store.images(store.ids())} == expected
