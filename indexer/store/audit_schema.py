"""The tables of the audit chain. The database itself refuses to change or delete its rows."""

from typing import Final

from sqlalchemy import DDL, CheckConstraint, Column, Integer, Table, event

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

_SQLITE: Final = """
CREATE TRIGGER audit_no_{verb} BEFORE {verb} ON audit
BEGIN SELECT RAISE(ABORT, 'the audit chain is append-only'); END
"""
_POSTGRESQL: Final = """
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit chain is append-only'; END $$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()
"""
APPEND_ONLY: Final = [
    ("sqlite", _SQLITE.format(verb="UPDATE")),
    ("sqlite", _SQLITE.format(verb="DELETE")),
    ("postgresql", _POSTGRESQL),
]
"""What makes each database refuse."""

for engine, statement in APPEND_ONLY:
    ddl = DDL(statement).execute_if(dialect=engine)  # type: ignore[no-untyped-call]
    event.listen(audit, "after_create", ddl)
