"""A killed server loses nothing that it acknowledged; a changing gallery gives whole answers."""

import itertools
import json
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hostile import encode, picture
from serving import Server, serving

from indexer.images import sha256
from indexer.index import Index, query_stored, search
from indexer.index.inspect import verify

CLIENTS = 4

SWAP = """
import sys
from indexer.index import Index
from indexer.types import Annotation
path, times, digest = sys.argv[1], int(sys.argv[2]), sys.argv[3]
with Index.open(path) as index:
    for number in range(times):
        with index.store.commit("label", "test") as txn:
            txn.annotate(digest, Annotation(source=f"s{number}"), origin="analyst")
        index.fit("test")
"""
"""Another process: so many fits, each after a change of what is known."""


def ingest_until_it_dies(server: Server, seed: int, seconds: float) -> tuple[list[str], set[int]]:
    """Several clients add images until the server is killed after `seconds`; the sha256 of those
    that were acknowledged, and every status."""
    photos = (encode(picture(seed + number), "PNG") for number in itertools.count())
    turn, acknowledged, statuses = threading.Lock(), [], set()

    def client() -> None:
        with httpx.Client(base_url=server.url, timeout=30) as client:
            while True:
                with turn:
                    photo = next(photos)
                try:
                    answer = client.post("/v1/images", files={"image": photo})
                except httpx.TransportError:
                    return
                statuses.add(answer.status_code)
                acknowledged.append(sha256(photo))

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    server.process.send_signal(signal.SIGKILL)
    for thread in threads:
        thread.join()
    return acknowledged, statuses


@pytest.mark.parametrize(
    "kills", [2, pytest.param(50, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])]
)
def test_what_was_acknowledged_is_there_after_a_kill(
    kills: int, index_path: Path, tmp_path: Path
) -> None:
    path, rng = tmp_path / "my.index", random.Random(11)
    shutil.copytree(index_path, path)
    everything: list[str] = []
    for kill in range(kills):
        with serving(path, tmp_path / f"{kill}.log") as server:
            acknowledged, statuses = ingest_until_it_dies(
                server, 10_000 + 1000 * kill, rng.uniform(0.3, 3.0)
            )
        everything += acknowledged
        assert statuses <= {201}
        with Index.open(path) as index:
            assert index.store.known(everything) == set(everything)
            assert verify(index)["problems"] == []
    assert len(everything) > kills


def under_load(url: str, ask: Callable[[httpx.Client], Any], until: threading.Event) -> list[Any]:
    """What several clients are answered, over and over, until the event is set."""
    answers: list[Any] = []

    def client() -> None:
        with httpx.Client(base_url=url, timeout=60) as client:
            while not until.is_set():
                answers.append(ask(client))

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.parametrize(
    "swaps", [4, pytest.param(200, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])]
)
def test_no_answer_fails_or_mixes_generations_while_another_process_swaps_them(
    swaps: int, index_path: Path, gallery: Path, tmp_path: Path
) -> None:
    path = tmp_path / "my.index"
    shutil.copytree(index_path, path)
    digest = sha256((gallery / "fake/swap/0.png").read_bytes())
    with serving(path, tmp_path / "server.log") as server, Index.open(path) as index:
        before = index.store.generation
        done = threading.Event()

        def swap() -> None:
            command = [sys.executable, "-c", SWAP, str(path), str(swaps), digest]
            subprocess.run(command, check=True)
            done.set()

        swapping = threading.Thread(target=swap)
        swapping.start()
        answers = under_load(
            server.url, lambda client: client.post("/v1/search", json={"id": digest}), done
        )
        swapping.join()
        assert {answer.status_code for answer in answers} == {200}
        by_generation: dict[int, set[str]] = {}
        for answer in answers:
            told = answer.json()
            by_generation.setdefault(told["generation"], set()).add(json.dumps(told))
        assert max(by_generation) > before
        for generation, told in by_generation.items():
            query = query_stored(index, digest, generation)
            expected = search(index, query, generation=generation).to_dict()
            assert [json.loads(each) for each in told] == [json.loads(json.dumps(expected))]
