"""The tables of the audit chain. The database itself refuses to change or delete its rows."""

from typing import Final

from sqlalchemy import DDL, CheckConstraint, Column, Integer, Table, Text, event

from indexer.store.schema import metadata

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

APPEND_ONLY: Final = ("update", "delete")

for verb in APPEND_ONLY:
    event.listen(
        audit,
        "after_create",
        DDL(  # type: ignore[no-untyped-call]
            f"CREATE TRIGGER audit_no_{verb} BEFORE {verb} ON audit "
            "BEGIN SELECT RAISE(ABORT, 'the audit chain is append-only'); END"
        ).execute_if(dialect="sqlite"),
    )
