"""Audit rows of queries: rows a second by one thread and by many, beside bare SQLite commits.

python -m benchmarks.audit [--seconds 3]
"""

import argparse
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from indexer.custody import Entry
from indexer.store import Store
from indexer.types import Passport

PASSPORT = Passport("ab" * 32, "{}", ("3.cls",), 3, 4, "fp32")
DETAILS = {
    "query": "ab" * 32,
    "k": 10,
    "where": None,
    "risk": 0.05,
    "verdict": "inconclusive",
    "hits": 10,
    "hits_sha256": "cd" * 32,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder:
        bare = commits(Path(folder) / "bare.sqlite", seconds)
        print(f"bare commits     {bare:8.0f} a second: what one durable write costs here")
        with Store.create(Path(folder) / "truth.sqlite", PASSPORT) as store:
            for threads in (1, 4, 16, 40):
                rate, processor = recorded(store, threads, seconds)
                print(
                    f"{threads:2} threads       {rate:8.0f} rows a second, {rate / bare:.1f} of "
                    f"bare commits; {1e6 * processor:.0f} us of processor time a row"
                )
            started = time.perf_counter()
            assert store.audit.faults() == []
            rows = store.audit.head.number
            print(f"verify           {rows / (time.perf_counter() - started):8.0f} rows a second")


def commits(path: Path, seconds: float) -> float:
    """Durable one-row commits a second."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE rows (text TEXT)")
        return repeated(
            lambda: connection.execute("INSERT INTO rows VALUES (?)", ("x" * 500,)), seconds
        )


def recorded(store: Store, threads: int, seconds: float) -> tuple[float, float]:
    """(rows a second, processor seconds a row) of so many threads that record queries."""
    rates: list[float] = []
    entry = Entry("query", "ann", DETAILS, 0)

    def work() -> None:
        rates.append(repeated(lambda: store.audit.record(entry), seconds))

    before, used = store.audit.head.number, time.process_time()
    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(rates), (time.process_time() - used) / (store.audit.head.number - before)


def repeated(job: Callable[[], object], seconds: float) -> float:
    """How often a job is done in a second."""
    started, count = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        job()
        count += 1
    return count / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
