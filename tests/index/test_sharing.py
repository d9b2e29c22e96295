"""Several builds of one index at a server do each input once, whatever becomes of one of them."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest
from commands import COMMAND
from postgresql_server import Server

from indexer.encoder import load_encoder
from indexer.index import Index, build_index
from indexer.index.sharing import Share
from indexer.sources import open_source
from indexer.sources.files import FileSource


@pytest.fixture
def url(postgresql: Server, checkpoint: Path) -> str:
    url = postgresql.place()
    Index.create(url, load_encoder(checkpoint)).close()
    return url


def test_what_another_holds_is_left_and_taken_when_it_is_let_go(url: str, pictures: Path) -> None:
    parts = list(open_source(pictures, "imagefolder").parts(16))
    assert [len(part) for part in parts] == [16, 16, 16]
    with (
        Index.open(url) as index,
        index.store.claims() as mine,
        index.store.claims() as theirs,
    ):
        one = Share(index.store, mine, parts)
        first = [item for item, _ in zip(one, range(20), strict=False)]
        two = Share(index.store, theirs, parts)
        assert list(two) == list(parts[2])
        assert two.left == parts[:2]
        one.committed(16)
        again = Share(index.store, theirs, two.left)
        assert list(again) == list(parts[0])
        assert again.left == [parts[1]]
        assert first == [*parts[0], *list(parts[1])[:4]]


def test_what_ends_with_a_connection_is_free(url: str, pictures: Path) -> None:
    part = FileSource(open_source(pictures, "imagefolder").items[:4])
    with Index.open(url) as index:
        with index.store.claims() as mine, index.store.claims() as theirs:
            assert (mine.take(part.name), theirs.take(part.name)) == (True, False)
        with index.store.claims() as theirs:
            assert theirs.take(part.name)


def test_inputs_that_others_dealt_with_are_not_read_again(url: str, pictures: Path) -> None:
    source = open_source(pictures, "imagefolder")
    (pictures / "real" / "broken.png").write_bytes(b"\x89PNG")
    try:
        everything = open_source(pictures, "imagefolder")
        with Index.open(url) as index, index.store.claims() as claims:
            build_index(index, [FileSource(everything.items[8:])])
            rest = list(Share(index.store, claims, [everything], since=0))
            assert [item.uri for item in rest] == [item.uri for item in everything.items[:8]]
            assert len(list(Share(index.store, claims, [source]))) == len(source)
    finally:
        (pictures / "real" / "broken.png").unlink()


@pytest.mark.parametrize("killed", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_two_builds_share_the_work(url: str, pictures: Path, killed: bool) -> None:
    command = [*COMMAND, "build", str(pictures), "--layout", "imagefolder", "--index", url]
    with Index.open(url) as index, index.store.claims() as claims:
        held = next(iter(open_source(pictures, "imagefolder").parts(64)))
        assert claims.take(held.name)  # so that both begin before either can do anything
        builds = [
            subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        time.sleep(1)
        assert [build.poll() for build in builds] == [None, None]
        if killed:
            builds[0].send_signal(signal.SIGKILL)
    told = [json.loads(out) for build in builds if (out := build.communicate()[0])]
    assert sum(summary["added"] + summary["known"] for summary in told) == 48
    with Index.open(url) as index:
        assert len(index.store.ids()) == 48
        assert [g.kind for g in index.store.generations()].count("fit") == 1
        assert (index.store.check(), index.store.audit.faults()) == ([], [])
