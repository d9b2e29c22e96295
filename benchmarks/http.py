"""Search by id over HTTP: requests per second of one core, and how soon a commit is searchable.

python -m benchmarks.http [--images 10000 100000] [--folder build/galleries]

A real server over a real index. Its threads are bound to one core, the client (which takes
part of the time, too) to another where there is one. Every request names another image.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._descriptors import draw
from benchmarks._galleries import FAMILIES, add, digest, open_gallery
from indexer.index import Index, query_stored, search

RESULTS = Path(__file__).parent / "results" / "http.json"
REQUESTS, CLIENTS, PORT = 1_000, 4, 8765
COMMITS = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--folder", type=Path, default=Path("build/galleries"))
    options = parser.parse_args()
    rows = []
    for n in options.images:
        with open_gallery(options.folder, n) as index:
            started = time.perf_counter()
            index.gallery()
            opened = time.perf_counter() - started
            row = {"images": n, "open_seconds": round(opened, 2), **inside(index, n)}
            row |= freshness(index)
        row |= served(options.folder / f"{n}.index", n)
        print(json.dumps(row, indent=1), flush=True)
        rows.append(row)
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n")


def inside(index: Index, n: int) -> dict[str, Any]:
    """CPU time of a search by id without HTTP."""
    digests = names(n, seed=0)[:200]
    for one in digests[:20]:
        search(index, query_stored(index, one))
    started = time.process_time()
    for one in digests:
        search(index, query_stored(index, one))
    return {"search_cpu_ms": round(1e3 * (time.process_time() - started) / len(digests), 2)}


def freshness(index: Index) -> dict[str, Any]:
    """Milliseconds from the end of a commit to the answer that holds its image."""
    rows, families = draw(COMMITS, FAMILIES, seed=7)
    waits = []
    for place in range(COMMITS):
        number = 10**9 + time.time_ns() // 1000  # never there before
        add(index, number, rows[place : place + 1], families[place : place + 1])
        committed = time.perf_counter()
        answer = search(index, query_stored(index, digest(number)))
        waits.append(1e3 * (time.perf_counter() - committed))
        assert answer.generation == index.store.generation
    return {"fresh_ms_median": round(float(np.median(waits)), 1), "fresh_ms_max": round(max(waits))}


def served(path: Path, n: int) -> dict[str, Any]:
    """Requests per second over loopback, and per CPU second of the server."""
    with server(path) as process, ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(ask, np.array_split(names(n, seed=1)[:100], CLIENTS)))
        before, started = cpu_seconds(process.pid), time.perf_counter()
        waits = [
            w for part in pool.map(ask, np.array_split(names(n, seed=2), CLIENTS)) for w in part
        ]
        wall, cpu = time.perf_counter() - started, cpu_seconds(process.pid) - before
    return {
        "load_average": round(os.getloadavg()[0], 1),  # of the machine; ours is about 2
        "requests_per_second": round(len(waits) / wall),
        "requests_per_cpu_second": round(len(waits) / cpu),
        "p50_ms": round(1e3 * float(np.median(waits)), 2),
        "p99_ms": round(1e3 * float(np.quantile(waits, 0.99)), 2),
    }


def ask(digests: list[str]) -> list[float]:
    """Search by every id on one connection; seconds of each."""
    connection = HTTPConnection("127.0.0.1", PORT, timeout=60)
    waits = []
    for one in digests:
        started = time.perf_counter()
        body = json.dumps({"id": str(one)})
        connection.request("POST", "/v1/search", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = json.loads(response.read())
        waits.append(time.perf_counter() - started)
        assert response.status == 200, answer
        assert len(answer["hits"]) == 10
    connection.close()
    return waits


@contextmanager
def server(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`search-api` on one core, ready."""
    cores = sorted(os.sched_getaffinity(0))
    command = [sys.executable, "-c", "from search_api.cli import main; main()"]
    one = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [*command, "--index", str(path), "--port", str(PORT)],
        env=os.environ | one,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.sched_setaffinity(process.pid, cores[:1])
    os.sched_setaffinity(0, cores[1:] or cores)
    try:
        while not ready():
            assert process.poll() is None, "the server ended"
            time.sleep(0.2)
        yield process
    finally:
        process.terminate()
        process.wait()
        os.sched_setaffinity(0, cores)


def ready() -> bool:
    try:
        connection = HTTPConnection("127.0.0.1", PORT, timeout=5)
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False


def names(n: int, seed: int) -> list[str]:
    chosen = np.random.default_rng(seed).choice(n, min(n, REQUESTS), replace=False)
    return [digest(int(number)) for number in chosen]


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far (fields 14 and 15 of /proc/PID/stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
