"""A real server over a tiny index that the real build made."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hostile import encode, picture
from serving import Server, serving
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


@pytest.fixture(scope="session")
def server(index_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`search-api` as a process of its own, on a free loopback port."""
    log = tmp_path_factory.mktemp("log") / "server.log"
    settings = {
        "LINEUP_MAX_UPLOAD_BYTES": str(MAX_UPLOAD_BYTES),
        "LINEUP_SIGNING_KEY": str(log.with_name("signing.pem")),
    }
    with serving(index_path, log, settings) as running:
        yield running


@pytest.fixture(scope="session")
def max_upload_bytes() -> int:
    """The byte limit of the server."""
    return MAX_UPLOAD_BYTES


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    """A client of the server."""
    with httpx.Client(base_url=server.url, timeout=30) as client:
        yield client
