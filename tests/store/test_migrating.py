"""Alembic makes what the queries are written for, from nothing and from an earlier release."""

import shutil
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from click.testing import CliRunner
from sqlalchemy import inspect
from store_samples import PASSPORT, new_image
from truths import alter

from indexer.cli import indexer
from indexer.errors import LineupError, NotFound
from indexer.store import Store, migrating, upgrade
from indexer.store.schema import metadata

LATER = """
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table("remarks", sa.Column("text", sa.Text()))
"""


def test_migrations_make_what_the_tables_say(store: Store) -> None:
    with store._engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        inspector = inspect(connection)
        for table in metadata.sorted_tables:
            checks = [check for column in table.c for check in column.constraints]
            assert len(inspector.get_check_constraints(table.name)) == len(checks)


def test_an_earlier_release_is_brought_up_to_date(
    place: Path | str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.create(place, PASSPORT) as store, store.commit("build", "ann") as txn:
        txn.add([new_image("a")])
    assert upgrade(place, "ben") == ("0001", "0001")
    folder = Path(shutil.copytree(migrating.MIGRATIONS, tmp_path / "migrations"))
    (folder / "versions" / "r0002.py").write_text(LATER)
    monkeypatch.setattr(migrating, "MIGRATIONS", folder)
    monkeypatch.setattr(migrating, "REVISION", "0002")
    with pytest.raises(LineupError, match=r"schema 0001 of an earlier release.*indexer upgrade"):
        Store.open(place)
    assert upgrade(place, "ben") == ("0001", "0002")
    with Store.open(place) as store:
        assert [row.kind for row in store.audit.rows()] == ["create", "build", "upgrade"]
        assert (store.audit.faults(), store.check(), store.ids().tolist()) == ([], [], [1])
        assert inspect(store._engine).has_table("remarks")


def test_a_migration_that_fails_leaves_all_as_it_was(
    place: Path | str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Store.create(place, PASSPORT).close()
    folder = Path(shutil.copytree(migrating.MIGRATIONS, tmp_path / "migrations"))
    (folder / "versions" / "r0002.py").write_text(LATER + "    1 / 0\n")
    with monkeypatch.context() as patch:
        patch.setattr(migrating, "MIGRATIONS", folder)
        patch.setattr(migrating, "REVISION", "0002")
        with pytest.raises(ZeroDivisionError):
            upgrade(place, "ben")
    with Store.open(place) as store:
        assert not inspect(store._engine).has_table("remarks")
        assert store.audit.head.number == 1


def test_the_command_says_what_it_did(tmp_path: Path) -> None:
    Store.create(tmp_path / "truth.sqlite", PASSPORT).close()
    done = CliRunner().invoke(indexer, ["upgrade", "--index", str(tmp_path)])
    assert done.output == "schema 0001, as before\n"
    with pytest.raises(NotFound, match="indexer build"):
        upgrade(tmp_path / "none.sqlite", "ann")
    alter(tmp_path / "truth.sqlite", "DROP TABLE alembic_version")
    with pytest.raises(LineupError, match="has no table alembic_version"):
        upgrade(tmp_path / "truth.sqlite", "ann")
