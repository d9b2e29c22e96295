"""Reads and writes of the service's keys; `Store` and `Transaction` lend their connection."""

from sqlalchemy import Connection, insert, select, update

from indexer.errors import NotFound, UsageError
from indexer.store.records import ApiKey
from indexer.store.schema import keys


def live_keys(connection: Connection) -> list[ApiKey]:
    """The keys that have not been revoked, oldest first."""
    rows = connection.execute(select(keys).where(keys.c.removed_gen.is_(None)).order_by(keys.c.id))
    return [
        ApiKey(r.key_id, r.name, r.salt, r.digest, frozenset(r.scopes.split()), r.added_gen)
        for r in rows
    ]


def refuse_taken(connection: Connection, name: str) -> None:
    """Raises UsageError when a live key has this name."""
    if name in {key.name for key in live_keys(connection)}:
        raise UsageError(
            f"there is a key named {name}", expected="a new name", do="revoke the old key first"
        )


def insert_key(connection: Connection, key: ApiKey, generation: int) -> None:
    """Add a key whose name is free."""
    row = {
        "key_id": key.key_id,
        "name": key.name,
        "salt": key.salt,
        "digest": key.digest,
        "scopes": " ".join(sorted(key.scopes)),
        "added_gen": generation,
    }
    connection.execute(insert(keys), row)


def require_live(connection: Connection, name: str) -> None:
    """Raises NotFound unless a live key has this name."""
    if name not in {key.name for key in live_keys(connection)}:
        raise NotFound(f"no key named {name}", do="see: search-api keys list")


def end_key(connection: Connection, name: str, generation: int) -> None:
    """End the live key of this name."""
    ending = update(keys).where(keys.c.name == name, keys.c.removed_gen.is_(None))
    connection.execute(ending.values(removed_gen=generation))
