"""The schema of a truth, which Alembic makes and brings up to date, whatever the engine."""

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, column, inspect, select, table

from indexer.custody import Entry
from indexer.errors import IndexDamaged, LineupError, NotFound
from indexer.store.audit import append
from indexer.store.database import damaged, database_at
from indexer.store.schema import REVISION, metadata

RECORDED: Final = table("alembic_version", column("version_num"))
"""Where Alembic keeps the revision of a database's schema."""
MIGRATIONS: Final = Path(__file__).parent / "migrations"


def migrate(connection: Connection) -> None:
    """Bring the schema from whatever revision, or none, to this release's."""
    from alembic import command  # slow to load, and only here of use
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    command.upgrade(config, "head")


def check_schema(connection: Connection, place: str) -> None:
    """Raises NotFound where there are no tables, LineupError on the schema of an earlier
    release, IndexDamaged on that of a later one and on tables that are not Lineup's."""
    found = _revision(connection, place)
    if found < REVISION:
        raise LineupError(
            f"{place} has the schema {found} of an earlier release",
            expected=f"the schema {REVISION}",
            do="bring it up to date with: indexer upgrade --index INDEX",
        )
    if found > REVISION:
        raise IndexDamaged(
            f"{place} has the schema {found} of a later release",
            expected=f"the schema {REVISION}",
            do="open it with the release of Lineup that wrote it",
        )
    if absent := metadata.tables.keys() - set(inspect(connection).get_table_names()):
        raise damaged(f"{place} has no table {', '.join(sorted(absent))}")


def upgrade(place: Path | str, author: str) -> tuple[str, str]:
    """Bring a truth to this release's schema; returns the revisions before and after.

    It is done whole, with a row of the audit chain, or not at all. Raises what `check_schema`
    does, but for an earlier release.
    """
    database = database_at(place)
    if not database.is_there():
        raise absent_at(database.place)
    try:
        with database.writing() as connection:
            before = _revision(connection, database.place)
            if before < REVISION:
                migrate(connection)
                details = {"schema": {"before": before, "after": REVISION}}
                append(connection, [Entry("upgrade", author, details)])
            check_schema(connection, database.place)
    finally:
        database.engine.dispose()
    return before, REVISION


def absent_at(place: str) -> NotFound:
    """The error of a place where no truth is."""
    return NotFound(f"no index at {place}", do="make one with: indexer build SOURCE")


def _revision(connection: Connection, place: str) -> str:
    tables = inspect(connection).get_table_names()
    if not tables:
        raise absent_at(place)
    if RECORDED.name not in tables:
        raise damaged(f"{place} has no table {RECORDED.name}")
    return connection.scalar(select(RECORDED.c.version_num)) or ""
