"""What is said when a start fails, or leaves the door open."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tiny import write_vit

from indexer.encoder import load_encoder
from indexer.index import Index
from search_api.keys import new_key
from search_api.settings import load_settings
from search_api.startup import open_door


def test_a_checkpoint_that_is_gone_is_told_in_one_line(tmp_path: Path) -> None:
    write_vit(tmp_path / "checkpoint")
    Index.create(tmp_path / "my.index", load_encoder(tmp_path / "checkpoint")).close()
    shutil.rmtree(tmp_path / "checkpoint")
    command = [Path(sys.executable).parent / "search-api", "--index", "my.index", "--port", "0"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("error: the model of my.index does not start: no checkpoint ")
    assert "; expected one of " in last
    assert last.endswith("; put the checkpoint back where the index found it: indexer info")


@pytest.mark.parametrize(
    ("options", "warned"),
    [
        ({}, False),
        ({"host": "::1"}, False),
        ({"host": "localhost"}, False),
        ({"host": "127.1.2.3"}, False),
        ({"host": "0.0.0.0"}, True),
        ({"host": "::"}, True),
        ({"host": "lineup.example"}, True),
        ({"host": "0.0.0.0", "auth": "required"}, False),
    ],
)
def test_an_open_door_is_told(index: Index, options: dict[str, str], warned: bool) -> None:
    told = open_door(load_settings(index="my.index", **options), index)
    assert (told is not None) == warned
    assert told is None or f"reaches {options['host']}:8000 may search, add, label" in told
    assert told is None or "search-api keys add NAME --index my.index" in told


def test_a_key_closes_the_door(index_path: Path, tmp_path: Path) -> None:
    shutil.copytree(index_path, tmp_path / "my.index")
    with Index.open(tmp_path / "my.index") as index:
        with index.store.commit("key added", "test") as txn:
            txn.add_key(new_key("desk", frozenset({"read"}))[1])
        assert open_door(load_settings(index="my.index", host="0.0.0.0"), index) is None
