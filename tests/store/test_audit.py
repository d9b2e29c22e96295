"""The audit chain in a real file: nothing is written without a row, nothing is altered unseen."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError
from store_samples import PASSPORT, new_image, sha
from truths import alter

from indexer.custody import Entry, Head
from indexer.store import (
    ApiKey,
    Found,
    Membership,
    NamedFamily,
    Proposal,
    Store,
    Transaction,
)
from indexer.store.content import belongs_to
from indexer.store.schema import metadata
from indexer.types import Annotation, Shard

WRITES: dict[str, Callable[[Transaction], object]] = {
    "add": lambda txn: txn.add([new_image("c", metadata={"case": 7}, thumbnail=b"t")]),
    "locate": lambda txn: txn.locate(sha("a"), "x:2"),
    "annotate": lambda txn: txn.annotate(sha("a"), Annotation("real"), "analyst"),
    "reject": lambda txn: txn.reject("x:9", "truncated", "short"),
    "remove": lambda txn: txn.remove([sha("b")]),
    "add_key": lambda txn: txn.add_key(ApiKey("k", "desk", b"salt", b"digest", frozenset(), 0)),
    "revoke_key": lambda txn: txn.revoke_key("desk"),
    "fit": lambda txn: txn.fit(1),
    "decide": lambda txn: txn.decide({"kind": "undo", "decision": 1}),
    "find": lambda txn: txn.find(
        1, 1, [Found(1, sha("a"), "f1", "f1", 1.0, 0.0, 0.5)], [Proposal("f1", None, 1.0)]
    ),
    "hold": lambda txn: txn.hold(
        [Membership(sha("a"), "f1", 1.0, said=True)],
        [NamedFamily("f1", "f", "label")],
        [("birth", None, "f1", 1)],
    ),
    "say": lambda txn: txn.say({(sha("a"), "label"): "fake"}),
    "finish": lambda txn: txn.finish(Shard("x:shard-0.tar", "10 tag")),
    "note": lambda txn: txn.note(key="added"),
}
"""One use of everything that a transaction can write."""


@pytest.fixture
def path(place: Path | str) -> Path | str:
    """A store with one row of every kind of write."""
    with Store.create(place, PASSPORT) as store:
        with store.commit("build", "ann") as txn:
            txn.add([new_image("a", "x:1", Annotation("fake", "f")), new_image("b")])
        for kind, write in WRITES.items():
            with store.commit(kind, "ann") as txn:
                write(txn)
        store.audit.record(Entry("query", "ben", {"query": sha("q"), "k": 10}, 14))
    return place


def faults(path: Path | str, kept: Head | None = None) -> list[str]:
    with Store.open(path) as store:
        return store.audit.faults(kept)


def test_every_write_has_its_row(path: Path | str) -> None:
    methods = {name for name in vars(Transaction) if not name.startswith("_")}
    assert methods == {*WRITES, "seal"}
    with Store.open(path) as store:
        rows = list(store.audit.rows())
        assert store.audit.faults() == []
        assert store.audit.head == rows[-1].head
    kinds = ["create", "build", *WRITES, "query"]
    assert [row.kind for row in rows] == kinds
    assert [row.author for row in rows] == ["indexer", *["ann"] * (len(kinds) - 2), "ben"]
    assert [row.generation for row in rows] == [None, *range(1, 15), None, 14]
    written = {
        row.kind: {name: part["rows"] for name, part in json.loads(row.details)["written"].items()}
        for row in rows
        if "written" in row.details
    }
    assert written == {
        "build": {"generations": 1, "images": 2, "locations": 2, "taps": 2},
        "add": {"generations": 1, "images": 1, "locations": 1, "taps": 1, "terms": 1}
        | {"thumbnails": 1},
        "add_key": {"generations": 1, "keys": 1},
        "revoke_key": {"generations": 1},
        "locate": {"generations": 1, "locations": 1},
        "annotate": {"generations": 1, "labels": 1},
        "reject": {"generations": 1, "rejects": 1},
        "remove": {"generations": 1},
        "fit": {"generations": 1, "fits": 1},
        "decide": {"generations": 1, "decisions": 1},
        "find": {"generations": 1, "family_builds": 1, "found": 1, "proposals": 1},
        "hold": {"generations": 1, "memberships": 1, "families": 1, "lineage": 1},
        "say": {"generations": 1, "labels": 1},
        "finish": {"generations": 1, "shards": 1},
    }
    ended = {
        row.kind: {name: part["rows"] for name, part in json.loads(row.details)["ended"].items()}
        for row in rows
        if '"ended":{"' in row.details
    }
    assert ended == {"remove": {"images": 1}, "revoke_key": {"keys": 1}, "say": {"labels": 1}}


def test_every_table_is_covered_by_the_chain() -> None:
    uncovered = {name for name, table in metadata.tables.items() if belongs_to(table) is None}
    assert uncovered == {"audit", "audit_head", "store"}


def test_a_failed_commit_leaves_no_row(path: Path | str) -> None:
    with Store.open(path) as store:
        head = store.audit.head

        def fails() -> None:
            with store.commit("build", "ann") as txn:
                txn.add([new_image("z")])
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fails()
        assert store.audit.head == head
        assert store.audit.faults() == []


def test_the_database_refuses_to_change_or_delete_a_row(path: Path | str) -> None:
    with Store.open(path) as store:
        for statement in ("UPDATE audit SET author = 'eve'", "DELETE FROM audit"):
            with (
                pytest.raises(DBAPIError, match="append-only"),
                store._database.writing() as connection,
            ):
                connection.exec_driver_sql(statement)


@pytest.mark.parametrize("number", range(1, 18))
def test_an_edited_row_of_each_kind_is_named(path: Path | str, number: int) -> None:
    alter(path, f"UPDATE audit SET author = 'eve' WHERE number = {number}")
    assert faults(path) == [f"row {number} was edited"]


@pytest.mark.parametrize("number", range(1, 18))
def test_a_deleted_row_of_each_kind_is_named(path: Path | str, number: int) -> None:
    alter(path, f"DELETE FROM audit WHERE number = {number}")
    assert faults(path)[0] == f"row {number} was removed" + " from the end" * (number == 17)


@pytest.mark.parametrize("number", range(1, 17))
def test_swapped_rows_of_each_kind_are_named(path: Path | str, number: int) -> None:
    swap = [(number, 99), (number + 1, number), (99, number + 1)]
    alter(path, *(f"UPDATE audit SET number = {new} WHERE number = {old}" for old, new in swap))
    found = faults(path)
    assert found[:2] == [f"row {number} was edited", f"row {number + 1} was edited"]


def test_an_inserted_row_is_named(path: Path | str) -> None:
    columns = "at, kind, author, generation, details, previous, hash"
    alter(path, f"INSERT INTO audit SELECT 18, {columns} FROM audit WHERE number = 17")
    assert faults(path) == [
        "row 18 was edited",
        "row 18 was added behind the recorded end",
    ]


def test_a_cut_end_shows_against_a_head_that_was_kept(path: Path | str) -> None:
    with Store.open(path) as store:
        kept, before = store.audit.head, next(store.audit.rows(2)).head
    alter(
        path,
        "DELETE FROM audit WHERE number = 17",
        f"UPDATE audit_head SET number = 16, hash = '{before.hash}'",
    )
    assert faults(path) == []
    assert faults(path, before) == []
    assert faults(path, kept) == ["row 17 was removed, as the head that was noted says"]


ALTERATIONS = {
    "images": "UPDATE images SET label = 'real' WHERE added_gen = 1 AND label = 'fake'",
    "taps": "UPDATE taps SET data = :zeros WHERE image_id = 1",
    "thumbnails": "UPDATE thumbnails SET data = :zeros",
    "terms": "DELETE FROM terms",
    "locations": "UPDATE locations SET uri = 'y:1' WHERE uri = 'x:1'",
    "labels": "UPDATE labels SET value = 'fake'",
    "rejects": "DELETE FROM rejects",
    "keys": "UPDATE keys SET scopes = 'admin'",
    "fits": "UPDATE fits SET fitted_on = 2",
    "generations": "UPDATE generations SET author = 'eve' WHERE number = 3",
}


@pytest.mark.parametrize("table", ALTERATIONS)
def test_an_altered_row_of_the_truth_is_named_by_generation_and_table(
    path: Path | str, table: str
) -> None:
    alter(path, ALTERATIONS[table], zeros=bytes(16))
    (fault,) = faults(path)
    assert fault.startswith("generation ")
    assert f"the rows of {table} that it added are not the ones" in fault


def test_a_removal_undone_behind_the_chain_is_named(path: Path | str) -> None:
    alter(path, "UPDATE images SET removed_gen = NULL")
    (fault,) = faults(path)
    assert fault.startswith("generation 6: the rows of images that it removed are not the ones")


def test_a_generation_slipped_past_the_chain_is_named(path: Path | str) -> None:
    alter(path, "INSERT INTO generations SELECT 15, at, kind, author FROM generations LIMIT 1")
    assert faults(path) == ["generation 15 has no row in the audit chain"]


@pytest.mark.parametrize("column", ["identity", "passport", "reference"])
def test_another_identity_or_passport_is_named(path: Path | str, column: str) -> None:
    other = {"identity": "'x'", "reference": "'{\"name\": 1}'"}
    changed = other.get(column, "replace(passport, 'fp32', 'bf16')")
    alter(path, f"UPDATE store SET {column} = {changed}")
    (fault,) = faults(path)
    assert fault.startswith("row 1 does not belong to this index")


def test_many_threads_share_commits_and_each_row_is_there(tmp_path: Path | str) -> None:
    with Store.create(tmp_path / "truth.sqlite", PASSPORT) as store:

        def ask(thread: int) -> None:
            for number in range(25):
                name = f"{thread}/{number}"
                store.audit.record(Entry("query", "ann", {"query": name}, 0))
                assert name in {json.loads(row.details).get("query") for row in store.audit.rows()}

        threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        asked = [json.loads(row.details)["query"] for row in store.audit.rows() if row.number > 1]
        assert sorted(asked) == sorted(f"{t}/{n}" for t in range(8) for n in range(25))
        assert store.audit.faults() == []


WRITER = """
import sys
from store_samples import new_image
from indexer.custody import Entry
from indexer.store import Store
name, path = sys.argv[1:]
with Store.open(path) as store:
    for number in range(40):
        with store.commit("build", name) as txn:
            txn.add([new_image(f"{name}/{number}")])
        store.audit.record(Entry("query", name, {"number": number}, txn.generation))
"""


def test_two_processes_write_one_chain(place: Path | str) -> None:
    Store.create(place, PASSPORT).close()
    tests = Path(__file__).parents[1]
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, name, str(place)], cwd=tests)
        for name in ("ann", "ben")
    ]
    assert [writer.wait() for writer in writers] == [0, 0]
    with Store.open(place) as store:
        rows = list(store.audit.rows())
        assert store.audit.faults() == []
    for name in ("ann", "ben"):
        mine = [row for row in rows if row.author == name]
        assert [row.kind for row in mine] == ["build", "query"] * 40
    authors = [row.author for row in rows[1:]]
    assert any(one != other for one, other in pairwise(authors))
