"""Many writers and readers at once, one of them killed and the server stopped in the middle.

LINEUP_SCALE_SECONDS says for how long; 300 for what docs/postgresql.md tells.
"""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from postgresql_server import Server
from sqlalchemy import func, select
from store_samples import PASSPORT, sha

from indexer.store import Store
from indexer.store.schema import images

pytestmark = [pytest.mark.scale, pytest.mark.timeout(1200)]

SECONDS = float(os.environ.get("LINEUP_SCALE_SECONDS", "30"))
MANY = 8
WORKER = Path(__file__).with_name("postgresql_worker.py")


def start(kind: str, url: str, name: str, seconds: float, folder: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, str(WORKER), kind, url, name, str(seconds)]
    with (folder / name).open("w") as out:
        return subprocess.Popen(command, stdout=out, text=True)


def told(folder: Path, name: str) -> list[dict[str, Any]]:
    """What a worker printed; its last line may be cut short."""
    lines = (folder / name).read_text().splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def of(kind: str, lines: list[dict[str, Any]]) -> list[Any]:
    return [line[kind] for line in lines if kind in line]


def test_nothing_that_was_told_is_lost(postgresql: Server, tmp_path: Path) -> None:
    with Server(postgresql.bin) as server:
        url = server.place()
        Store.create(url, PASSPORT).close()
        writers = [f"w{n}" for n in range(MANY)]
        readers = [f"r{n}" for n in range(MANY)]
        running = {w: start("write", url, w, SECONDS, tmp_path) for w in writers}
        running |= {r: start("read", url, r, SECONDS, tmp_path) for r in readers}
        time.sleep(SECONDS / 3)
        running["w0"].kill()
        running["w8"] = start("write", url, "w8", SECONDS * 2 / 3, tmp_path)
        time.sleep(SECONDS / 6)
        server.stop("immediate")
        time.sleep(1)
        server.start()
        ends = {name: process.wait() for name, process in running.items()}
        assert ends == {name: -9 if name == "w0" else 0 for name in running}
        lines = {name: told(tmp_path, name) for name in running}
        with Store.open(url) as store:
            check(store, {name: lines[name] for name in [*writers, "w8"]})
        seen = [line for name in readers for line in lines[name]]
        assert of("broken", seen) == []
        assert all(len(of("read", lines[name])) > 1 for name in readers)
        failures = Counter(of("failed", [line for each in lines.values() for line in each]))
        assert failures["IndexUnreachable"] > 0
        written = [line for name in [*writers, "w8"] for line in lines[name]]
        print(
            f"\n{SECONDS:.0f} s: {len(of('added', written))} commits of images told, "
            f"{len(of('removed', written))} removals, {len(of('asked', written))} queries, "
            f"{len(of('read', seen))} reads; failures {dict(failures)}"
        )


def check(store: Store, lines: dict[str, list[dict[str, Any]]]) -> None:
    assert (store.check(), store.audit.faults()) == ([], [])
    history = store.generations()
    assert [g.number for g in history] == list(range(1, len(history) + 1))
    here = {image.sha256 for image in store.images(store.ids())}
    with store._engine.connect() as connection:
        rows, distinct = connection.execute(
            select(func.count(), func.count(images.c.sha256.distinct()))
        ).one()
    assert rows == distinct == sum(g.added for g in history)
    asked = [json.loads(row.details)["number"] for row in store.audit.rows() if row.kind == "query"]
    assert len(asked) == len(set(asked))
    for name, mine in lines.items():
        generations = [g for g in of("generation", mine) if g]
        assert {history[g - 1].author for g in generations} == {name}
        assert len(generations) == len(set(generations))
        gone, leaving = set(of("removed", mine)), set(of("removing", mine))
        for group in of("added", mine):
            there = {sha(f"{name}/{group}/{n}") for n in range(4)} & here
            expected = {0} if group in gone else {0, 4} if group in leaving else {4}
            assert len(there) in expected, (name, group)
        assert set(of("asked", mine)) <= set(asked)
