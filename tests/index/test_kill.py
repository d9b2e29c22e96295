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
from indexer.index import Index, build, build_index
from indexer.sources import open_source
build.COMMIT_IMAGES = 4
checkpoint, pictures, path = sys.argv[1:]
index = Index.open(path) if Index.exists(path) else Index.create(path, load_encoder(checkpoint))
print("started", flush=True)
build_index(index, [open_source(pictures, "imagefolder")])
"""


def start(checkpoint: Path, pictures: Path, path: Path) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", BUILD, str(checkpoint), str(pictures), str(path)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


def survive(kills: int, seed: int, checkpoint: Path, pictures: Path, path: Path) -> None:
    rng = random.Random(seed)
    began = time.monotonic()
    first = start(checkpoint, pictures, path)
    assert first.stdout is not None
    first.stdout.readline()
    loaded = time.monotonic() - began
    first.kill()
    first.wait()
    for _ in range(kills - 1):
        process = start(checkpoint, pictures, path)
        time.sleep(rng.uniform(0.5 * loaded, 1.3 * loaded))
        process.kill()
        process.wait()
        if Index.exists(path):
            with Index.open(path) as index:
                assert index.store.check() == []
    assert start(checkpoint, pictures, path).wait() == 0


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
    survive(kills, 7, checkpoint, pictures, tmp_path / "killed.index")
    with Index.open(tmp_path / "killed.index") as index:
        assert_complete(index, make_index(pictures))
