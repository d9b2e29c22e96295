"""What one driver can commit: encodings that workers wrote, into the truth.

python -m benchmarks.commit [--images 10000] [--index postgresql+psycopg://...]

Random encodings of a ViT-S/16 (13 taps of 384, 32 patches, a thumbnail of 4 kB) in files of 256,
as workers leave them; then they are read and committed as a build does. This is what stays in one
process however many workers there are. Ends with the bytes that an image takes, table by table,
in an SQLite truth.
"""

import argparse
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks._encoding import write_result
from indexer.index import Index
from indexer.index.incoming import Incoming
from indexer.index.part_file import write_part
from indexer.sources.storage import Place
from indexer.store import NewImage
from indexer.types import Annotation, ImageFacts, Passport, Patches

TAPS, DIM, PATCHES, THUMBNAIL, PART = 13, 384, 32, 4_000, 256
LENGTHS = {
    "taps": "length(data)",
    "patches": "length(codes) + length(scales) + length(boxes)",
    "thumbnails": "length(data)",
}


def images(count: int, rng: np.random.Generator) -> Iterator[NewImage]:
    for number in range(count):
        facts = ImageFacts(rng.bytes(32).hex(), 613_000, "JPEG", "RGB", 1632, 1224, 1, False)
        codes = rng.integers(-127, 128, (PATCHES, DIM)).astype(np.int8)
        scales = rng.random(PATCHES, np.float32)
        yield NewImage(
            facts,
            f"s3://images/shards/{number // 10_000:06}.tar/{number:08}.jpg",
            Annotation("fake", f"family-{number % 20}", "somewhere"),
            {"case": str(number % 100)},
            rng.normal(size=(TAPS, DIM)).astype(np.float16),
            rng.normal(size=2).astype(np.float32),
            float(rng.random()),
            rng.bytes(THUMBNAIL),
            Patches(codes, scales, rng.random((PATCHES, 4), np.float32)),
        )


def bytes_per_image(path: Path, count: int) -> dict[str, int]:
    """By table, of an SQLite truth; "whole" is the file."""
    with sqlite3.connect(path) as truth:
        truth.execute("pragma wal_checkpoint(truncate)")
        found = {"whole": path.stat().st_size}
        for table, length in LENGTHS.items():
            [found[table]] = truth.execute(f"select sum({length}) from {table}").fetchone()
    return {name: round(value / count) for name, value in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--index")
    options = parser.parse_args()
    passport = Passport("0" * 64, "{}", tuple(map(str, range(TAPS))), 4, DIM, "fp32")
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name:
        where = options.index or str(Path(name, "my.index"))
        incoming = Incoming(Place.of(name).child("incoming"), passport)
        files = []
        for file, _ in zip(incoming.files(), range(0, options.images, PART), strict=False):
            with file.save() as opened:
                write_part(images(PART, rng), opened, passport, {})
            files.append(file)
        count = PART * len(files)
        written = sum(Path(file.path).stat().st_size for file in files) / count
        with Index.create_for(where, passport, {}, "benchmark") as index:
            clock, spent = time.perf_counter(), time.process_time()
            for file in files:
                for batch in incoming.received(file):
                    with index.store.commit("build", "benchmark") as txn:
                        txn.add([o for o in batch.outcomes if isinstance(o, NewImage)])
                    batch.committed()
            clock, spent = time.perf_counter() - clock, time.process_time() - spent
        result = {
            "images": count,
            "truth": "sqlite" if options.index is None else "postgresql",
            "images_per_second": round(count / clock),
            "driver_ms_per_image": round(1000 * spent / count, 3),
            "bytes_on_the_way_per_image": round(written),
        }
        if options.index is None:
            result["bytes_per_image"] = bytes_per_image(Path(where, "truth.sqlite"), count)
    for key, value in result.items():
        print(f"{key:28}{value}")
    if options.index is None:
        write_result("commit", result)


if __name__ == "__main__":
    main()
