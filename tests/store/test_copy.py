"""A truth at another place is the same truth, whatever the engines."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, select
from store_samples import PASSPORT, new_image, sha
from truths import alter

from indexer.errors import IndexDamaged, UsageError
from indexer.families.actions import Label, to_json
from indexer.store import (
    ApiKey,
    Found,
    Membership,
    NamedFamily,
    NewImage,
    Proposal,
    Store,
    copying,
)
from indexer.store.schema import metadata
from indexer.types import Annotation, Patches, Shard

Place = Path | str
NAMED = {"name": "a"}


def ignored(rows: int) -> None:
    pass


def patches(rng: np.random.Generator) -> Patches:
    codes = rng.integers(-127, 127, (3, 4), dtype=np.int8)
    return Patches(codes, rng.random(3, np.float32), rng.random((3, 4), np.float32))


def images() -> list[NewImage]:
    rng = np.random.default_rng(0)
    made = []
    for n in range(12):
        image = new_image(
            n,
            annotation=Annotation("fake", f"f{n % 3}", "s", "2026-01-02"),
            metadata={"tool": "n\u00e4he", "n": n / 7, "deep": [1, {"a": None}]},
            score=n / 11,
            thumbnail=bytes([n]),
            logits=np.array([n, -1.5], np.float32),
        )
        fields = {name: getattr(image, name) for name in NewImage.__slots__}
        made.append(NewImage(**{**fields, "patches": patches(rng) if n % 2 else None}))
    return made


def full(place: Place) -> Store:
    """With rows in every table."""
    store = Store.create(place, PASSPORT, NAMED)
    with store.commit("build", "ann") as txn:
        ids = txn.add(images())
        txn.reject("bad.png", "truncated", "it ends early")
        txn.finish(Shard("a.tar", "1"))
    with store.commit("fit", "ann") as txn:
        txn.fit(1)
    with store.commit("families", "ann") as txn:
        txn.find(
            1,
            2,
            [Found(id_, sha(n), "c", "fx", 0.25, n / 3, -1.0) for n, id_ in enumerate(ids)],
            [Proposal("fx", "tool: x", 0.5)],
        )
        members = [Membership(sha(n), "fx", 0.25, said=False) for n in range(12)]
        txn.hold(members, [NamedFamily("fx", "x", "code")], [("birth", None, "fx", 12)])
    with store.commit("decide", "ann") as txn:
        txn.decide(to_json(Label((sha(1),), "fake", "case 7")))
        txn.say({(sha(1), "label"): "fake", (sha(1), "family"): "case 7"})
    with store.commit("remove", "ann") as txn:
        txn.remove([sha(11)])
        txn.add_key(ApiKey("k1", "desk", b"salt", b"digest", frozenset({"read"})))
    return store


def tables(store: Store) -> dict[str, list[Any]]:
    """Every row of every table but the audit chain's."""
    with store._engine.begin() as connection:
        return {
            table.name: [
                tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))
            ]
            for table in metadata.sorted_tables
            if not table.name.startswith("audit")
        }


def test_there_and_back_is_equal_to_the_row(new_place: Callable[[], Place], tmp_path: Path) -> None:
    with full(tmp_path / "first.sqlite") as first:
        there, back, counted = new_place(), tmp_path / "back.sqlite", []
        with first.copy(there, NAMED, "ann", counted.append) as second:
            assert counted == sorted(counted)
            assert counted[-1] == first.rows == second.rows - 1
            with second.copy(back, NAMED, "ben", ignored) as third:
                assert tables(third) == tables(first)
        first_rows = list(first.audit.rows())
        assert all(tables(first).values())
    for place, copies in (
        (there, ["ann"]),
        (back, ["ann", "ben"]),
    ):
        with Store.open(place) as store:
            assert (store.reference, store.generation) == (NAMED, 5)
            rows = list(store.audit.rows())
            assert rows[: len(first_rows)] == first_rows
            assert [(row.kind, row.author) for row in rows[len(first_rows) :]] == [
                ("copy", author) for author in copies
            ]
            assert (store.audit.faults(), store.check()) == ([], [])


def test_a_copy_goes_on_where_its_origin_was(
    new_place: Callable[[], Place], tmp_path: Path
) -> None:
    with (
        full(tmp_path / "first.sqlite") as first,
        first.copy(new_place(), NAMED, "ann", ignored) as second,
    ):
        made = []
        for store in (first, second):
            with store.commit("build", "ann") as txn:
                made.append((txn.generation, txn.add([new_image("late")])))
                txn.reject("late.png", "missing", "it is not there")
        assert made[0] == made[1]
        assert second.audit.faults() == []
        assert second.check() == []


def test_nothing_is_copied_over_anything(new_place: Callable[[], Place], tmp_path: Path) -> None:
    place = new_place()
    with full(tmp_path / "first.sqlite") as first, Store.create(place, PASSPORT) as other:
        with pytest.raises(UsageError, match="exists already"):
            first.copy(place, NAMED, "ann", ignored)
        assert other.generation == 0


def test_what_the_target_alters_is_noticed_and_nothing_stays(
    new_place: Callable[[], Place], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, read = new_place(), copying._all
    seen: list[Connection] = []

    def rotten(connection, table):
        seen.append(connection)
        for rows in read(connection, table):
            lost = table.name == "taps" and connection is not seen[0]
            yield rows[1:] if lost else rows

    monkeypatch.setattr(copying, "_all", rotten)
    with full(tmp_path / "first.sqlite") as first:
        with pytest.raises(IndexDamaged, match="the copied table taps holds"):
            first.copy(place, NAMED, "ann", ignored)
        monkeypatch.undo()
        with first.copy(place, NAMED, "ann", ignored) as second:
            assert tables(second) == tables(first)


def test_an_origin_that_was_altered_stays_so_to_see(
    new_place: Callable[[], Place], tmp_path: Path
) -> None:
    path = tmp_path / "first.sqlite"
    full(path).close()
    alter(path, "UPDATE labels SET value = 'other' WHERE value = 'case 7'")
    with Store.open(path) as first, first.copy(new_place(), NAMED, "ann", ignored) as second:
        assert second.audit.faults() == first.audit.faults() != []
