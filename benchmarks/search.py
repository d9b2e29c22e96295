"""Nearest neighbours by size, beside FAISS used directly, hnswlib and usearch in the same run.

python -m benchmarks.search [--sizes 10000 100000 1000000] [--hard]

Queries come from the same distribution and are not indexed. One thread; queries per CPU second
of one core; engines take turns, and ratios are of the same turn. Graphs are built up to
--graphs vectors, since that takes them minutes. Needs the extra `bench`.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import faiss
import hnswlib
import numpy as np
from usearch.index import Index as UsearchIndex

from benchmarks import _descriptors as synthetic
from indexer.calibration import fit_calibration
from indexer.descriptor import fit_projection
from indexer.index.derived import Derived, load, publish
from indexer.index.engines import InProcess
from indexer.types import Float32, Int64
from indexer.vectors import Choice, FaissIndex, build_vectors

RESULTS = Path(__file__).parent / "results"
K, QUERIES, ROUNDS, RECALL = 10, 300, 5, 0.99
Search = Callable[[Float32], Int64]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--graphs", type=int, default=100_000)
    parser.add_argument("--hard", action="store_true", help="one family, no scenes: no clusters")
    parser.add_argument("--opened", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.opened:
        print(json.dumps(opened(options.opened)))
        return
    Path("build").mkdir(exist_ok=True)
    rows = [measure(n, options.hard, n <= options.graphs) for n in options.sizes]
    name = "search-hard.json" if options.hard else "search.json"
    (RESULTS / name).write_text(json.dumps(rows, indent=1) + "\n")


def measure(n: int, hard: bool, graphs: bool) -> dict[str, Any]:
    """Everything that is told of one size."""
    rows = synthetic.descriptors(n + QUERIES, families=1 if hard else None)
    np.random.default_rng(1).shuffle(rows)
    vectors, queries = rows[:n], np.ascontiguousarray(rows[n:])
    truth = [set(nearest(vectors, query)) for query in queries]
    before = time.process_time()
    index, choice = build_vectors(np.arange(n), vectors)
    built = time.process_time() - before
    engines: dict[str, Search] = {"lineup": lambda query: index.search(query, K)[0]}
    engines["faiss"] = faiss_directly(vectors, choice)
    if graphs:
        engines["hnswlib"] = hnsw(vectors, queries, truth)
        engines["usearch"] = usearch(vectors, queries, truth)
    result = {
        "n": n,
        "choice": asdict(choice),
        "build_cpu_seconds": round(built, 1),
        "engines": compare(engines, queries, truth),
        **reopened(index, choice, queries),
    }
    print(json.dumps(result, indent=1), flush=True)
    return result


def nearest(vectors: Float32, query: Float32) -> list[int]:
    similarity = vectors @ query
    found = np.argpartition(-similarity, K)[:K]
    return [int(row) for row in found]


def compare(
    engines: dict[str, Search], queries: Float32, truth: list[set[int]]
) -> dict[str, dict[str, Any]]:
    """Recall, CPU and wall time of every engine, in turns."""
    rates: dict[str, list[float]] = {name: [] for name in engines}
    walls: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(ROUNDS):
        for name, search in engines.items():
            started = time.process_time()
            for query in queries:
                before = time.perf_counter()
                search(query)
                walls[name].append(time.perf_counter() - before)
            rates[name].append(len(queries) / (time.process_time() - started))
    return {
        name: {
            "recall_at_10": round(recall(search, queries, truth), 4),
            "queries_per_cpu_second": round(float(np.median(rates[name]))),
            "p50_ms": round(1e3 * float(np.median(walls[name])), 3),
            "lineup_ratio": spread(np.array(rates["lineup"]) / rates[name]),
        }
        for name, search in engines.items()
    }


def spread(values: Float32) -> list[float]:
    """Least, median and greatest."""
    return [round(float(np.quantile(values, q)), 2) for q in (0, 0.5, 1)]


def recall(search: Search, queries: Float32, truth: list[set[int]]) -> float:
    found = zip(queries, truth, strict=True)
    return float(np.mean([len(expected & set(search(q).tolist())) / K for q, expected in found]))


def faiss_directly(vectors: Float32, choice: Choice) -> Search:
    """The same kind of index with the same settings and nothing around it."""
    dim = vectors.shape[1]
    if choice.kind == "flat":
        index = faiss.IndexFlatIP(dim)
    else:
        factory = f"IVF{choice.parameters['nlist']},SQ8"
        index = faiss.index_factory(dim, factory, faiss.METRIC_INNER_PRODUCT)
        sample = np.random.default_rng(0).choice(
            len(vectors), min(len(vectors), 64 * index.nlist), replace=False
        )
        index.train(vectors[sample])
        index.nprobe = choice.parameters["nprobe"]
    index.add(vectors)

    def search(query: Float32) -> Int64:
        faiss.omp_set_num_threads(1)
        found: Int64 = index.search(query[None], K)[1][0]
        return found

    return search


def hnsw(vectors: Float32, queries: Float32, truth: list[set[int]]) -> Search:
    index = hnswlib.Index("ip", vectors.shape[1])
    index.init_index(len(vectors), M=16, ef_construction=100, random_seed=0)
    index.add_items(vectors)
    index.set_num_threads(1)

    def search(query: Float32) -> Int64:
        return np.asarray(index.knn_query(query, K)[0][0], np.int64)

    return tuned(search, index.set_ef, queries, truth)


def usearch(vectors: Float32, queries: Float32, truth: list[set[int]]) -> Search:
    index = UsearchIndex(ndim=vectors.shape[1], metric="ip", dtype="f16", connectivity=16)
    index.add(np.arange(len(vectors)), vectors)

    def search(query: Float32) -> Int64:
        return np.asarray(index.search(query, K, threads=1).keys, np.int64)

    def widen(ef: int) -> None:
        index.expansion_search = ef

    return tuned(search, widen, queries, truth)


def tuned(
    search: Search, widen: Callable[[int], None], queries: Float32, truth: list[set[int]]
) -> Search:
    """Double ef until recall is what Lineup's index must reach."""
    ef = 16
    widen(ef)
    while recall(search, queries, truth) < RECALL and ef < 2048:
        ef *= 2
        widen(ef)
    return search


def reopened(index: FaissIndex, choice: Choice, queries: Float32) -> dict[str, Any]:
    """What a new process that opens the published files sees."""
    taps = np.random.default_rng(0).standard_normal((8, 1, 8))
    projection = fit_projection(taps, [None] * 8, [None] * 8, [None] * 8)
    calibration = fit_calibration([], [], [], [], None)
    derived = Derived(0, 0, "", index.ids, index.vectors, index, choice, projection, calibration)
    with tempfile.TemporaryDirectory(dir=Path("build").resolve()) as folder:
        published = publish(Path(folder), 0, derived)
        np.save(published / "queries.npy", queries)
        command = [sys.executable, "-m", "benchmarks.search", "--opened", str(published)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        sizes = {path.name: path.stat().st_size for path in published.iterdir()}
    found: dict[str, Any] = json.loads(done.stdout)
    n = len(index.ids)
    found["bytes_on_disk_per_image"] = round(sum(sizes.values()) / n)
    return found


def opened(folder: Path) -> dict[str, Any]:
    """Seconds to open a derived set, checks included, and memory after searches."""
    queries = np.load(folder / "queries.npy")
    before = memory()
    started = time.perf_counter(), time.process_time()
    derived = load(folder, InProcess())
    seconds, cpu = time.perf_counter() - started[0], time.process_time() - started[1]
    for query in queries:
        derived.vectors.search(query, K)
    after, n = memory(), len(derived.ids)
    return {
        "open_seconds": round(seconds, 2),
        "open_cpu_seconds": round(cpu, 2),
        "own_bytes_per_image": round((after["RssAnon"] - before["RssAnon"]) / n),
        "mapped_bytes_per_image": round((after["RssFile"] - before["RssFile"]) / n),
    }


def memory() -> dict[str, int]:
    """Resident bytes of this process: its own, and file pages that the system may drop."""
    lines = Path("/proc/self/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return {name: 1024 * int(fields[name].split()[0]) for name in ("RssAnon", "RssFile")}


if __name__ == "__main__":
    main()
