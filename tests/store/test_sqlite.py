"""What is so of a truth in a file."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from store_samples import PASSPORT, new_image

from indexer.custody import Entry
from indexer.errors import IndexDamaged, LineupError, NotFound
from indexer.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "truth.sqlite"


def test_create_takes_what_a_killed_create_left(path: Path) -> None:
    path.touch()
    with pytest.raises(NotFound, match="indexer build"):
        Store.open(path)
    Store.create(path, PASSPORT).close()
    with Store.open(path) as store:
        assert store.passport == PASSPORT


def gif(path: Path) -> None:
    path.write_bytes(b"GIF89a" * 1000)


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")


@pytest.mark.parametrize(("make", "told"), [(gif, "not a database"), (foreign, "has no table")])
def test_a_file_that_is_no_store_is_left_alone(path: Path, make: object, told: str) -> None:
    make(path)
    before = path.read_bytes()
    with pytest.raises(IndexDamaged, match=told):
        Store.open(path)
    assert path.read_bytes() == before


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(LineupError, match="cannot be used"):
        Store.create(tmp_path / "no folder" / "truth.sqlite", PASSPORT)


def test_a_missing_file_is_not_made(path: Path) -> None:
    with pytest.raises(NotFound, match="indexer build"):
        Store.open(path)
    assert list(path.parent.iterdir()) == []


def test_a_page_overwritten_under_a_reader_is_told_as_damage(path: Path) -> None:
    with Store.create(path, PASSPORT) as store, store.commit("build", "ann") as txn:
        txn.add([new_image(n) for n in range(500)])
    data = bytearray(path.read_bytes())
    data[len(data) // 2 :] = b"\xff" * (len(data) - len(data) // 2)
    path.write_bytes(data)
    with pytest.raises(IndexDamaged, match="malformed"), Store.open(path) as store:
        store.taps(store.ids())


def test_an_index_that_may_not_be_written_to_is_refused_with_advice(path: Path) -> None:
    with Store.create(path, PASSPORT) as store:
        with store._engine.connect() as connection:  # the one that the pool gives out next
            connection.exec_driver_sql("PRAGMA query_only = ON")
        with pytest.raises(LineupError, match="copy an index that is read-only"):
            store.audit.record(Entry("query", "ann", {}, 1))
