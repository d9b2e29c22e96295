"""2,000 images on Ray while actors, a node and the driver die: all are there, once, and right."""

import csv
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny import write_vit

from indexer.encoder import load_encoder
from indexer.index import BuildSummary, Index, build_index
from indexer.index.inspect import verify
from indexer.samples import make_collection
from indexer.sources import open_source

ray = pytest.importorskip("ray", reason="ray is not installed: pip install 'lineup[ray]'")
from ray.cluster_utils import Cluster  # noqa: E402

from indexer.index.ray_runner import RayRunner  # noqa: E402

pytestmark = [pytest.mark.scale, pytest.mark.timeout(900)]

IMAGES = 2_000
PART = 64

DRIVER = f"""
import sys
from indexer.encoder import load_encoder
from indexer.index import Index, build_index, ray_runner
from indexer.sources import open_source
ray_runner.PART = {PART}
checkpoint, manifest, path = sys.argv[1:]
index = Index.open(path) if Index.exists(path) else Index.create(path, load_encoder(checkpoint))
build_index(index, [open_source(manifest)], runner=ray_runner.RayRunner(),
            on_progress=lambda summary: print(summary.added, flush=True))
"""


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("checkpoint") / "tiny"
    write_vit(directory)
    return directory


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten shifted copies, as JPEGs, of each of 200 samples, with the samples' labels."""
    root = tmp_path_factory.mktemp("many")
    samples = make_collection(root / "samples", real=50, per_family=15)
    with samples.open() as table, (root / "manifest.csv").open("w") as file:
        file.write("path,label,family\n")
        for number, row in enumerate(csv.DictReader(table)):
            pixels = np.asarray(Image.open(root / "samples" / row["path"]).convert("RGB"))
            for copy in range(IMAGES // 200):
                name = f"{number:03}-{copy}.jpg"
                Image.fromarray(np.roll(pixels, 16 * copy, axis=1)).save(root / name, quality=90)
                file.write(f"{name},{row['label']},{row['family']}\n")
    return root / "manifest.csv"


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory, checkpoint: Path, manifest: Path) -> Index:
    """What a build in this process makes of the images."""
    index = Index.create(tmp_path_factory.mktemp("local") / "my.index", load_encoder(checkpoint))
    build_index(index, [open_source(manifest)])
    assert index.store.counts().images == IMAGES
    return index


@pytest.fixture
def index(tmp_path: Path, checkpoint: Path) -> Index:
    return Index.create(tmp_path / "my.index", load_encoder(checkpoint))


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.index.ray_runner.PART", PART)
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """Two nodes on this machine, of one core each; the driver is on the first."""
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    made.add_node(num_cpus=1)
    ray.init(made.address, log_to_driver=False)
    yield made
    ray.shutdown()
    made.shutdown()


def children(parent: int) -> dict[int, str]:
    """Processes by id -> command."""
    found = {}
    for folder in Path("/proc").iterdir():
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if fields[1] == str(parent):
                found[int(folder.name)] = (folder / "cmdline").read_text()
        except (OSError, IndexError):
            continue
    return found


def raylet(node: object) -> int:
    [info] = node.all_processes["raylet"]  # type: ignore[attr-defined]
    return int(info.process.pid)


def actors(node: object) -> list[int]:
    """Processes that encode on a node."""
    return [pid for pid, command in children(raylet(node)).items() if "MapWorker" in command]


def once(strike: Callable[[], bool]) -> tuple[Callable[[BuildSummary], None], list[int]]:
    """A callback that strikes when a quarter is done, as soon as there is something to strike,
    and the counts at which it did."""
    struck: list[int] = []

    def watch(summary: BuildSummary) -> None:
        if not struck and summary.added > IMAGES // 4 and strike():
            struck.append(summary.added)

    return watch, struck


def assert_equal(index: Index, local: Index) -> None:
    """Every image once, with what is known of it and taps that bfloat16 could not tell apart."""
    assert verify(index)["problems"] == []
    assert index.store.rejects() == []
    assert index.store.counts() == local.store.counts()
    both = []
    for each in (index, local):
        images = sorted(each.store.images(each.store.ids()), key=lambda image: image.sha256)
        taps = each.store.taps([image.id for image in images])
        both.append(([(i.sha256, i.uris, i.annotation, i.metadata) for i in images], taps))
    assert both[0][0] == both[1][0]
    np.testing.assert_allclose(both[0][1], both[1][1], rtol=1e-2, atol=1e-2)


def test_an_actor_is_killed(cluster: Cluster, index: Index, local: Index, manifest: Path) -> None:
    def strike() -> bool:
        found = [pid for node in cluster.list_all_nodes() for pid in actors(node)]
        for pid in found[:1]:
            os.kill(pid, signal.SIGKILL)
        return bool(found)

    watch, struck = once(strike)
    summary = build_index(index, [open_source(manifest)], runner=RayRunner(), on_progress=watch)
    assert len(struck) == 1
    assert struck[0] < summary.added == IMAGES
    assert_equal(index, local)


def test_a_node_is_killed(cluster: Cluster, index: Index, local: Index, manifest: Path) -> None:
    [other] = [node for node in cluster.list_all_nodes() if not node.is_head()]

    def strike() -> bool:
        if not actors(other):
            return False
        parent = raylet(other)
        for pid in (parent, *children(parent)):
            os.kill(pid, signal.SIGKILL)
        return True

    watch, struck = once(strike)
    summary = build_index(index, [open_source(manifest)], runner=RayRunner(), on_progress=watch)
    assert len(struck) == 1
    assert struck[0] < summary.added == IMAGES
    assert_equal(index, local)


def test_the_driver_is_killed_and_then_the_head(
    tmp_path: Path, local: Index, checkpoint: Path, manifest: Path
) -> None:
    path = tmp_path / "my.index"
    command = [sys.executable, "-c", DRIVER, str(checkpoint), str(manifest), str(path)]

    def strike(share: float, whom: Callable[[int], int]) -> str:
        """What a driver says whose cluster loses a process when that share is done."""
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as driver:
            assert driver.stdout is not None
            for line in driver.stdout:
                if int(line) > share * IMAGES:
                    os.kill(whom(driver.pid), signal.SIGKILL)
                    break
            return driver.communicate()[1]

    strike(0.2, lambda driver: driver)
    said = strike(0.1, lambda driver: next(p for p, c in children(driver).items() if "gcs_" in c))
    assert "is dead; build again" in said
    with Index.open(path) as index:
        committed = index.store.counts().images
    assert 0.3 * IMAGES <= committed < IMAGES
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert int(done.stdout.splitlines()[-1]) == IMAGES - committed
    with Index.open(path) as index:
        assert_equal(index, local)
        assert list((path / "incoming").rglob("*.*")) == []
