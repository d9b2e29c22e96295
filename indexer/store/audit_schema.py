"""The tables of the audit chain. The database itself refuses to change or delete its rows."""

from sqlalchemy import CheckConstraint, Column, Integer, Table

from indexer.store.schema import Text, metadata

audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("generation", Integer),
    Column("details", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
)
"""See `indexer.custody.chain`. `details` is JSON text, since its exact bytes are hashed;
`generation` is 0 where an empty index was searched."""

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("hash", Text, nullable=False),
)
"""Where the chain ends; the one row that is updated, with every row that is added to `audit`."""
