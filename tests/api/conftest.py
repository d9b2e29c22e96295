"""A real server over a tiny index that the real build made."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from hostile import encode, picture
from tiny import write_vit

from indexer.encoder import load_encoder
from indexer.index import Index, build_index
from indexer.sources import open_source

MAX_UPLOAD_BYTES = 4 * 1024 * 1024


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """real/<seed>.png and fake/<family>/<seed>.png: 6 of each, for 2 families."""
    root = tmp_path_factory.mktemp("gallery")
    for number, folder in enumerate(("real", "fake/blend", "fake/swap")):
        (root / folder).mkdir(parents=True)
        for seed in range(6):
            image = picture(100 * number + seed, 64 + 8 * number, 48)
            (root / folder / f"{seed}.png").write_bytes(encode(image, "PNG"))
    return root


@pytest.fixture(scope="session")
def index_path(gallery: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index in two steps, so that it has an earlier generation; the last image has no
    thumbnail."""
    root = tmp_path_factory.mktemp("service")
    write_vit(root / "checkpoint")
    with Index.create(root / "my.index", load_encoder(root / "checkpoint")) as index:
        build_index(index, [open_source(gallery, "imagefolder")])
        bare = root / "bare"
        bare.mkdir()
        (bare / "bare.png").write_bytes(encode(picture(999), "PNG"))
        build_index(index, [open_source(bare)], thumbnails=False)
    return root / "my.index"


@pytest.fixture(scope="session")
def index(index_path: Path) -> Iterator[Index]:
    """The facade over the same index: the oracle of every answer."""
    with Index.open(index_path) as index:
        yield index


@dataclass(frozen=True, slots=True)
class Server:
    """A running `search-api`; `log` holds all that it has printed."""

    url: str
    log: Path


@pytest.fixture(scope="session")
def server(index_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`search-api` as a process of its own, on a free loopback port."""
    log = tmp_path_factory.mktemp("log") / "server.log"
    command = [Path(sys.executable).parent / "search-api", "--index", index_path, "--port", "0"]
    limit = {"LINEUP_MAX_UPLOAD_BYTES": str(MAX_UPLOAD_BYTES)}
    with log.open("w") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=os.environ | limit
        )
    try:
        yield Server(_address(process, log), log)
    finally:
        process.terminate()
        process.wait(timeout=20)


def _address(process: "subprocess.Popen[bytes]", log: Path) -> str:
    for _ in range(1800):
        if found := re.search(r"running on (http://\S+)", log.read_text()):
            return found[1]
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise AssertionError(f"the server did not start:\n{log.read_text()}")


@pytest.fixture(scope="session")
def max_upload_bytes() -> int:
    """The byte limit of the server."""
    return MAX_UPLOAD_BYTES


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    """A client of the server."""
    with httpx.Client(base_url=server.url, timeout=30) as client:
        yield client
