"""Milvus beside FAISS in one process: recall, searches per second, and filters by expression.

python -m benchmarks.milvus [--sizes 20000 100000]

One client thread. Queries come from the same distribution and are not indexed; engines take
turns. Filters are compared with what they replace: ids from the truth, compared one by one. A
real server is started as `tests/milvus_server.py` says, and reached through a forwarder.
milvus-lite, which is Python, is asked up to --lite images.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._descriptors import descriptors
from benchmarks._galleries import open_gallery
from indexer.filters import Filter, parse_filter
from indexer.index import Index
from indexer.store import Store
from indexer.types import Float32, Int64
from indexer.vectors import ExactIndex, build_vectors
from indexer.vectors.milvus import FILE, Milvus
from indexer.vectors.milvus_filter import expression
from indexer.vectors.milvus_index import MilvusIndex, build_collection
from tests.milvus_server import milvus_server

RESULTS = Path(__file__).parent / "results" / "milvus.json"
K, QUERIES, ROUNDS, FLAT_ROWS = 10, 100, 3, 10_000
FILTERS = (
    "label = fake",
    "family = family-7",
    "source = source-3 and label = fake",
    "score > 0.5 or family is null",
)
Search = Callable[[Float32], Int64]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[20_000, 100_000])
    parser.add_argument("--lite", type=int, default=20_000)
    options = parser.parse_args()
    Path("build").mkdir(exist_ok=True)
    rows = [measure(n, n <= options.lite) for n in options.sizes]
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n")


def measure(n: int, lite: bool) -> dict[str, Any]:
    """Everything that is told of one size."""
    with ExitStack() as stack:
        engines = {"milvus": Milvus(stack.enter_context(milvus_server()))}
        if lite:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="build"))).resolve()
            engines["milvus-lite"] = Milvus(f"{FILE}{folder}/lite.db")
        index = stack.enter_context(open_gallery(Path("build/galleries"), n))
        result = {
            "n": n,
            "vectors": vectors(n, engines),
            "filters": {name: filters(index, milvus) for name, milvus in engines.items()},
        }
    print(json.dumps(result, indent=1), flush=True)
    return result


def vectors(n: int, engines: dict[str, Milvus]) -> dict[str, Any]:
    """Recall, searches per second and how they were reached, of every engine."""
    rows = descriptors(n + QUERIES)
    np.random.default_rng(1).shuffle(rows)
    ids, gallery, queries = np.arange(n) + 1, np.ascontiguousarray(rows[:n]), rows[n:]
    exact = ExactIndex(ids, gallery)
    truth = [set(exact.search(query, K)[0].tolist()) for query in queries]
    faiss, choice = build_vectors(ids, gallery, flat_rows=FLAT_ROWS)
    searches: dict[str, Search] = {"faiss": lambda query: faiss.search(query, K)[0]}
    made = {"faiss": asdict(choice)}
    for name, milvus in engines.items():
        index, choice = build_collection(milvus, "vectors", ids, gallery, _nothing, FLAT_ROWS)
        searches[name] = _search(index)
        made[name] = asdict(choice)
    seconds: dict[str, list[float]] = {name: [] for name in searches}
    for _ in range(ROUNDS):
        for name, search in searches.items():
            seconds[name] += [_seconds(search, query) for query in queries]
    return {
        name: {
            **made[name],
            "recall_at_10": round(_recall(search, queries, truth), 4),
            "searches_per_second": round(1 / float(np.mean(seconds[name]))),
            "p50_ms": round(1e3 * float(np.median(seconds[name])), 2),
        }
        for name, search in searches.items()
    }


def filters(index: Index, milvus: Milvus) -> dict[str, Any]:
    """Milliseconds of a filtered search by expression, and by ids from the truth."""
    store, gallery = index.store, index.gallery()
    ids, rows = gallery.derived.ids, np.array(gallery.derived.descriptors)
    found, _ = build_collection(
        milvus, "filters", ids, rows, lambda some: store.filterable(some, gallery.generation)
    )
    result: dict[str, Any] = {}
    for text in FILTERS:
        where = parse_filter(text)
        compiled = expression(where)
        assert compiled is not None
        by: dict[str, Search] = {
            "expression": partial(_by_expression, found, compiled),
            "ids": partial(_by_ids, found, store, where),
        }
        seconds: dict[str, list[float]] = {name: [] for name in by}
        same = 0
        for query in rows[:: len(rows) // 10][:10]:
            for name, search in by.items():
                seconds[name].append(_seconds(search, query))
            same += len(np.intersect1d(by["expression"](query), by["ids"](query)))
        result[text] = {
            "kept": len(store.ids(where)),
            "recall_at_10": same / (10 * K),
            **{f"{name}_ms": round(1e3 * float(np.median(t)), 1) for name, t in seconds.items()},
        }
    return result


def _by_expression(index: MilvusIndex, compiled: str, query: Float32) -> Int64:
    return index.search_where(query, K, compiled)[0]


def _by_ids(index: MilvusIndex, store: Store, where: Filter, query: Float32) -> Int64:
    return index.search(query, K, store.ids(where))[0]


def _search(index: MilvusIndex) -> Search:
    return lambda query: index.search(query, K)[0]


def _nothing(ids: Int64) -> list[dict[str, Any]]:
    return [{}] * len(ids)


def _seconds(search: Search, query: Float32) -> float:
    started = time.perf_counter()
    search(query)
    return time.perf_counter() - started


def _recall(search: Search, queries: Float32, truth: list[set[int]]) -> float:
    found = zip(queries, truth, strict=True)
    return float(np.mean([len(expected & set(search(q).tolist())) / K for q, expected in found]))


if __name__ == "__main__":
    main()
