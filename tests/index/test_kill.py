"""A build that is killed at any moment is completed by the next one."""

import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.index import Index
from indexer.index.inspect import verify

Make = Callable[..., Index]

BUILD = """
import sys
from indexer.encoder import load_encoder
from indexer.index import Index, build_index, runner
from indexer.sources import open_source
runner.COMMIT_IMAGES = 4
checkpoint, pictures, path = sys.argv[1:]
index = Index.open(path) if Index.exists(path) else Index.create(path, load_encoder(checkpoint))
print("started", flush=True)
build_index(index, [open_source(pictures, "imagefolder")])
"""


def start(checkpoint: Path, pictures: Path, path: Path) -> subprocess.Popen[str]:
    """A build in a process of its own, once its libraries and the index are open."""
    arguments = [sys.executable, "-c", BUILD, str(checkpoint), str(pictures), str(path)]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    return process


def survive(kills: int, checkpoint: Path, pictures: Path, root: Path) -> list[Path]:
    """Kill builds at random moments; a finished one is followed by a new one. Returns the
    indexes, all completed by a last rerun."""
    rng = random.Random(7)
    indexes = [root / "0.index"]
    undisturbed = start(checkpoint, pictures, indexes[0])
    began = time.monotonic()
    assert undisturbed.wait() == 0
    lasts = time.monotonic() - began
    indexes.append(root / "1.index")
    for _ in range(kills):
        process = start(checkpoint, pictures, indexes[-1])
        time.sleep(rng.uniform(0, lasts))
        finished = process.poll() is not None
        process.kill()
        process.wait()
        with Index.open(indexes[-1]) as index:
            assert index.store.check() == []
            assert index.store.audit.faults() == []
        if finished:
            indexes.append(root / f"{len(indexes)}.index")
    assert start(checkpoint, pictures, indexes[-1]).wait() == 0
    return indexes


def assert_complete(index: Index, undisturbed: Index) -> None:
    assert verify(index)["problems"] == []
    both = []
    for each in (index, undisturbed):
        columns = each.store.columns(each.store.ids())
        both.append(
            sorted(zip(columns.sha256, columns.label, columns.family, strict=True), key=str)
        )
    assert both[0] == both[1]
    assert index.store.counts() == undisturbed.store.counts()


@pytest.mark.parametrize(
    "kills", [3, pytest.param(20, marks=[pytest.mark.slow, pytest.mark.timeout(1200)])]
)
def test_a_rerun_completes_what_was_killed(
    kills: int, tmp_path: Path, checkpoint: Path, pictures: Path, make_index: Make
) -> None:
    undisturbed = make_index(pictures)
    for path in survive(kills, checkpoint, pictures, tmp_path):
        with Index.open(path) as index:
            assert_complete(index, undisturbed)
