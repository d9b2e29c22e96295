"""What is left of an image that was asked about: nothing, unless the operator keeps it."""

import json
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from hostile import encode, picture
from serving import Server

from indexer.errors import NotFound, UsageError
from indexer.images import sha256
from indexer.index import Index
from indexer.index.inspect import info, verify
from indexer.index.kept_queries import KeptQueries
from search_api.app import create_app
from search_api.cli import search_api
from search_api.settings import load_settings

PHOTO = encode(picture(8100, 1000, 800), "TIFF")
"""Over a mebibyte, from where on a form's files are put on the disk unless one takes care."""
PART = PHOTO[len(PHOTO) // 2 :][:64]


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def open_files(pid: int) -> set[str]:
    """The files that a process has open, whether they still have a name or not."""
    links = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
    return {name for name in links if name.startswith("/") and not name.startswith("/dev/")}


def test_nothing_of_a_query_reaches_the_disk(
    client: httpx.Client, server: Server, index_path: Path, cache: Path
) -> None:
    assert len(PHOTO) > 2**20
    before = files(index_path).keys() | files(cache).keys()
    client.post("/v1/search", json={"id": "0" * 64})
    opened = open_files(server.process.pid)
    form = b'--x\r\ncontent-disposition: form-data; name="image"; filename="a"\r\n\r\n'
    whole = form + PHOTO + b"\r\n--x--\r\n"
    head = (
        "POST /v1/search HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
        f"content-type: multipart/form-data; boundary=x\r\ncontent-length: {len(whole)}\r\n\r\n"
    )
    with socket.create_connection((client.base_url.host, client.base_url.port)) as connection:
        connection.sendall(head.encode() + whole[:-10])
        for _ in range(10):  # while what was sent is read
            time.sleep(0.05)
            assert open_files(server.process.pid) == opened
        connection.sendall(whole[-10:])
        assert connection.makefile("rb").readline().split()[1] == b"200"
    for path in ("/v1/search:batch", "/v1/reports"):
        assert client.post(path, files={"image": PHOTO}).status_code == 200
    after = files(index_path) | files(cache)
    new = {name for name in after.keys() - before if not name.startswith("derived/")}
    assert new <= {"truth.sqlite-wal", "truth.sqlite-shm"}
    assert not [name for name, data in after.items() if PART in data]


@pytest.fixture
def keeping(index_path: Path, tmp_path: Path) -> Iterator[tuple[TestClient, Path]]:
    """A service that keeps queries, and the copy of the index that it serves."""
    path = tmp_path / "my.index"
    shutil.copytree(index_path, path)
    app = create_app(load_settings(index=path, keep_queries=True))
    with TestClient(app, base_url="http://localhost") as client:
        yield client, path


def command(*arguments: object) -> tuple[int, list[str]]:
    result = CliRunner().invoke(search_api, ["queries", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output.splitlines()


def test_kept_queries_are_whole_recorded_listed_and_removed(
    keeping: tuple[TestClient, Path], gallery: Path
) -> None:
    client, path = keeping
    photos = [encode(picture(8200 + seed), "PNG") for seed in range(4)]
    known = sha256((gallery / "real/0.png").read_bytes())
    for _ in range(2):
        assert client.post("/v1/search", files={"image": photos[0]}).status_code == 200
    assert client.post("/v1/search", json={"id": known}).status_code == 200
    region = {"region": "0,0,0.5,0.5"}
    client.post("/v1/search", files={"image": photos[1]}, data=region).raise_for_status()
    client.post("/v1/search:batch", files=[("image", photos[2]), ("image", b"no image")])
    client.post("/v1/reports", files={"image": photos[3]}).raise_for_status()

    asked = sorted(map(sha256, photos))
    assert files(path / "queries") == {sha256(photo): photo for photo in photos}
    assert (path / "queries").stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in (path / "queries").iterdir()} == {0o600}
    with Index.open(path) as index:
        rows = [row for row in index.store.audit.rows() if row.kind == "query kept"]
        assert [(row.author, json.loads(row.details)) for row in rows] == [
            ("anonymous", {"query": sha256(photo), "bytes": len(photo)}) for photo in photos
        ]
        assert (info(index)["kept_queries"], info(index)["counts"]["images"]) == (4, 19)

    at = ("--index", path)
    assert command("list", *at) == (0, [str(path / "queries" / digest) for digest in asked])
    assert command("remove", asked[0], *at) == (0, ["1 removed"])
    with pytest.raises(NotFound, match=f"no query image {asked[0]} is kept"):
        command("remove", asked[0], *at)
    with pytest.raises(UsageError, match="no SHA256, or both"):
        command("remove", *at)
    assert command("remove", "--all", *at) == (0, ["3 removed"])
    assert command("list", *at) == (0, [])
    assert list((path / "queries").iterdir()) == []
    with Index.open(path) as index:
        rows = [row for row in index.store.audit.rows() if row.kind == "query removed"]
        assert [json.loads(row.details)["query"] for row in rows] == asked
        assert verify(index)["problems"] == []


def test_a_file_that_a_kill_cut_short_is_written_again(index: Index, tmp_path: Path) -> None:
    shutil.copytree(index.path, tmp_path / "my.index")
    with Index.open(tmp_path / "my.index") as copy:
        kept = KeptQueries(copy)
        kept.keep(PHOTO, "test")
        path = kept.folder / sha256(PHOTO)
        path.write_bytes(PHOTO[:1000])
        kept.keep(PHOTO, "test")
        assert path.read_bytes() == PHOTO
