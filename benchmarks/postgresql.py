"""Images a second into a truth: PostgreSQL by COPY and by INSERT, SQLite, in turns.

python -m benchmarks.postgresql [--commits 10] [--index postgresql+psycopg://...]

Without --index a throw-away server is started, as the tests do. Images are as a ViT-S build
keeps them: twelve taps of 384, 32 patches, a thumbnail, three metadata.
"""

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from unittest.mock import patch

import numpy as np
from sqlalchemy import Connection, Table, insert

from indexer.store import NewImage, Store
from indexer.store.database import Rows
from indexer.store.postgresql import PostgreSQL
from indexer.types import Annotation, ImageFacts, Passport, Patches

TAPS, DIM, PATCHES, TOGETHER = 12, 384, 32, 256
Times = dict[str, list[float]]
Way = Callable[[], AbstractContextManager[object]]
PASSPORT = Passport("ab" * 32, "{}", tuple(f"{n}.cls" for n in range(TAPS)), 12, DIM, "fp32")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commits", type=int, default=10, help="of 256 images, by each way")
    parser.add_argument("--index", help="URL of an empty database")
    arguments = parser.parse_args()
    clock: Times = defaultdict(list)
    processor: Times = defaultdict(list)
    with (
        tempfile.TemporaryDirectory() as folder,
        place(arguments.index) as url,
        Store.create(Path(folder) / "truth.sqlite", PASSPORT) as file,
        Store.create(url, PASSPORT) as server,
    ):
        ways: dict[str, tuple[Store, Way]] = {
            "SQLite": (file, nullcontext),
            "COPY": (server, nullcontext),
            "INSERT": (server, lambda: patch.object(PostgreSQL, "insert", by_insert)),
        }
        for turn in range(arguments.commits):
            for name, (store, way) in ways.items():
                images = [image(f"{name}/{turn}/{n}") for n in range(TOGETHER)]
                began, used = time.perf_counter(), time.process_time()
                with way(), store.commit("bench", "bench") as txn:
                    txn.add(images)
                clock[name].append((time.perf_counter() - began) / TOGETHER)
                processor[name].append((time.process_time() - used) / TOGETHER)
    for name in ways:
        seconds, spent = float(np.median(clock[name])), float(np.median(processor[name]))
        print(
            f"{name:8} {1 / seconds:6.0f} images a second, "
            f"{float(np.median(clock['SQLite'])) / seconds:.2f} of SQLite's; "
            f"{1e6 * spent:4.0f} us of processor time an image in this process"
        )


@contextmanager
def place(url: str | None) -> Iterator[str]:
    """Where to make an index."""
    if url is not None:
        yield url
        return
    sys.path.insert(0, "tests")
    from postgresql_server import Server, programs

    found = programs()
    if found is None:
        sys.exit("no PostgreSQL server: apt install postgresql, or give --index")
    with Server(found) as server:
        yield server.place()


def by_insert(_: PostgreSQL, connection: Connection, table: Table, rows: Rows) -> None:
    """What COPY replaces."""
    if values := list(rows):
        connection.execute(insert(table), values)


def image(name: str) -> NewImage:
    """Of the size of real ones; equal names, equal images."""
    rng = np.random.default_rng(list(name.encode()))
    digest = rng.bytes(32).hex()
    return NewImage(
        ImageFacts(digest, 123_456, "JPEG", "RGB", 640, 480, 1, False),
        f"file:///collection/{name}.jpg",
        Annotation("fake", "family"),
        {"case": 17, "agency": "north", "camera": "none"},
        rng.standard_normal((TAPS, DIM)).astype(np.float16),
        np.array([0.5, -0.5], np.float32),
        0.5,
        rng.bytes(8_000),
        Patches(
            rng.integers(-127, 127, (PATCHES, DIM)).astype(np.int8),
            rng.random(PATCHES).astype(np.float32),
            rng.random((PATCHES, 4)).astype(np.float32),
        ),
    )


if __name__ == "__main__":
    main()
