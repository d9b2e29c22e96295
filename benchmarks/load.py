"""Mixed load from 16 clients: what fails, how long searches take while images come in, memory.

python -m benchmarks.load [--minutes 30] [--index my.index] [--pause 0.25]

A real server, on a copy of the index (by default the demo's gallery). Each client searches by id,
uploads a query, adds an image or labels one, by chance, and then pauses. 429 and 503 are promised
under overload and counted apart; every other status but 200 and 201 is a failure.
"""

import argparse
import json
import random
import shutil
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks._server import memory, serving
from indexer.encoder import load_encoder
from indexer.filters import parse_filter
from indexer.images import sha256
from indexer.index import Index, build_index
from indexer.samples import make_collection
from indexer.samples.codec import encode_png
from indexer.sources import open_source

CLIENTS = 16
MIX = {"search by id": 80, "search by upload": 8, "ingest": 8, "label": 4}
SAMPLES = 100
WARM, END = slice(20, 25), slice(-5, None)
"""Of the readings of memory: those after the warm-up, a fifth of the time, and the last ones."""
UPKEEP = "upkeep"
PROMISED = {429, 503}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--index", type=Path)
    parser.add_argument("--pause", type=float, default=0.25, help="mean seconds")
    options = parser.parse_args()
    source = options.index or demo_gallery(Path("build/load"))
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "my.index"
        shutil.copytree(source, copy)
        print(json.dumps(measure(copy, options.minutes * 60, options.pause), indent=1))


def demo_gallery(root: Path) -> Path:
    """The demo's gallery, made once."""
    if not (root / "done").exists():
        shutil.rmtree(root, ignore_errors=True)
        make_collection(root / "collection")
        everything = open_source(root / "collection" / "manifest.csv")
        with Index.create(root / "my.index", load_encoder("demo")) as index:
            build_index(index, [everything.select(parse_filter("meta.role = 'gallery'"))])
        (root / "done").touch()
    return root / "my.index"


def measure(path: Path, seconds: float, pause: float) -> dict[str, Any]:
    """What a run of so many seconds shows."""
    with Index.open(path) as index:
        ids = index.store.columns(index.store.ids()).sha256
    with ExitStack() as stack:
        url, pid = stack.enter_context(serving(path))
        run = Run(url, ids, time.monotonic() + seconds, pause)
        clients = [threading.Thread(target=run.client, args=(n,)) for n in range(CLIENTS)]
        for client in clients:
            client.start()
        memories = list(sampled(pid, clients, seconds / SAMPLES))
        for client in clients:
            client.join()
    return {**run.summary(), "memory_mib": grown(memories)}


def sampled(pid: int, clients: list[threading.Thread], pause: float) -> Iterator[dict[str, float]]:
    """The memory of the server's processes, now and then while the clients work."""
    while any(client.is_alive() for client in clients):
        time.sleep(pause)
        yield memory(pid)


def grown(memories: list[dict[str, float]]) -> dict[str, Any]:
    """From after the warm-up to the end, the processes that stay; upkeep, which comes and goes
    in a process of its own, by its greatest."""
    staying = [sum(each for name, each in m.items() if name != UPKEEP) for m in memories]
    warm, end = (float(np.mean(part)) for part in (staying[WARM], staying[END]))
    return {
        "warm": warm,
        "end": end,
        "ratio": end / warm,
        "last": memories[-1],
        "upkeep": max(m.get(UPKEEP, 0.0) for m in memories),
    }


class Run:
    """Clients against one server until a moment, and what they saw."""

    def __init__(self, url: str, ids: list[str], until: float, pause: float) -> None:
        self.url, self.ids, self.until, self.pause = url, ids, until, pause
        self.seconds: defaultdict[str, list[float]] = defaultdict(list)
        self.statuses: defaultdict[str, Counter[int]] = defaultdict(Counter)

    def client(self, number: int) -> None:
        """One client; equal numbers do equal things."""
        rng, drawn = random.Random(number), np.random.default_rng(number)
        with httpx.Client(base_url=self.url, timeout=120) as client:
            while time.monotonic() < self.until:
                [kind] = rng.choices(list(MIX), list(MIX.values()))
                picture = encode_png(_picture(drawn))
                began = time.monotonic()
                status = self._ask(client, kind, rng.choice(self.ids), picture)
                self.seconds[kind].append(time.monotonic() - began)
                self.statuses[kind][status] += 1
                time.sleep(rng.expovariate(1 / self.pause))

    def _ask(self, client: httpx.Client, kind: str, one: str, picture: bytes) -> int:
        match kind:
            case "search by id":
                return client.post("/v1/search", json={"id": one}).status_code
            case "search by upload":
                return client.post("/v1/search", files={"image": picture}).status_code
            case "label":
                said = {"images": [one], "label": "fake", "family": "seen"}
                return client.post("/v1/labels", json=said).status_code
        answer = client.post("/v1/images", files={"image": picture})
        if answer.status_code == 201:
            self.ids.append(sha256(picture))
        return answer.status_code

    def summary(self) -> dict[str, Any]:
        """By kind of request: statuses and milliseconds; failures of all together."""
        told = {
            kind: {
                "statuses": dict(self.statuses[kind]),
                "p50_ms": round(1e3 * float(np.quantile(seconds, 0.5)), 1),
                "p99_ms": round(1e3 * float(np.quantile(seconds, 0.99)), 1),
            }
            for kind, seconds in self.seconds.items()
        }
        failed = sum(
            count
            for counts in self.statuses.values()
            for status, count in counts.items()
            if status not in PROMISED | {200, 201}
        )
        return {"failed": failed, **told}


def _picture(rng: np.random.Generator) -> np.ndarray:
    """(96, 96, 3) uint8: random blocks, never twice the same."""
    blocks = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
    return blocks.repeat(8, axis=0).repeat(8, axis=1)


if __name__ == "__main__":
    main()
