"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

REFUSALS = {
    "sqlite": [
        f"""
        CREATE TRIGGER audit_no_{verb} BEFORE {verb} ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit chain is append-only'); END
        """
        for verb in ("update", "delete")
    ],
    "postgresql": [
        """
        CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the audit chain is append-only'; END $$
        """,
        """
        CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()
        """,
    ],
}
"""By which each engine refuses to change or delete a row of the audit chain."""


def upgrade() -> None:
    """Make every table, index and trigger."""
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("author", TEXT, nullable=False),
        sa.Column("generation", sa.Integer(), nullable=True),
        sa.Column("details", TEXT, nullable=False),
        sa.Column("previous", TEXT, nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), sa.CheckConstraint("id = 1"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "generations",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("author", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "store",
        sa.Column("id", sa.Integer(), sa.CheckConstraint("id = 1"), nullable=False),
        sa.Column("identity", TEXT, nullable=False),
        sa.Column("passport", TEXT, nullable=False),
        sa.Column("reference", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "decisions",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("action", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["generation"], ["generations.number"]),
        sa.PrimaryKeyConstraint("generation"),
    )
    op.create_table(
        "families",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("family", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("name_from", TEXT, nullable=False),
        sa.Column("added_gen", sa.Integer(), nullable=False),
        sa.Column("removed_gen", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["added_gen"], ["generations.number"]),
        sa.ForeignKeyConstraint(["removed_gen"], ["generations.number"]),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("families_id", "families", ["family"], unique=False)
    op.create_index(op.f("ix_families_added_gen"), "families", ["added_gen"], unique=False)
    op.create_index(op.f("ix_families_removed_gen"), "families", ["removed_gen"], unique=False)
    op.create_table(
        "family_builds",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("covers", sa.Integer(), nullable=False),
        sa.Column("fit", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["generation"], ["generations.number"]),
        sa.PrimaryKeyConstraint("generation"),
    )
    op.create_table(
        "fits",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("fitted_on", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["generation"], ["generations.number"]),
        sa.PrimaryKeyConstraint("generation"),
    )
    op.create_table(
        "images",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("bytes", KEY, nullable=False),
        sa.Column("format", TEXT, nullable=False),
        sa.Column("mode", TEXT, nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("orientation", sa.Integer(), nullable=False),
        sa.Column("animated", sa.Boolean(), nullable=False),
        sa.Column("label", TEXT, nullable=True),
        sa.Column("family", TEXT, nullable=True),
        sa.Column("source", TEXT, nullable=True),
        sa.Column("captured_at", TEXT, nullable=True),
        sa.Column("metadata", sa.JSON(), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("logits", sa.LargeBinary(), nullable=True),
        sa.Column("added_gen", sa.Integer(), nullable=False),
        sa.Column("removed_gen", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["added_gen"], ["generations.number"]),
        sa.ForeignKeyConstraint(["removed_gen"], ["generations.number"]),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("images_generations", "images", ["added_gen", "removed_gen"], unique=False)
    op.create_index(
        "images_live",
        "images",
        ["sha256"],
        unique=True,
        sqlite_where=sa.text("removed_gen IS NULL"),
        postgresql_where=sa.text("removed_gen IS NULL"),
    )
    op.create_index("images_removed", "images", ["removed_gen"], unique=False)
    op.create_index("images_sha256", "images", ["sha256"], unique=False)
    op.create_index(op.f("ix_images_added_gen"), "images", ["added_gen"], unique=False)
    op.create_index(op.f("ix_images_removed_gen"), "images", ["removed_gen"], unique=False)
    op.create_table(
        "keys",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("key_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", TEXT, nullable=False),
        sa.Column("added_gen", sa.Integer(), nullable=False),
        sa.Column("removed_gen", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["added_gen"], ["generations.number"]),
        sa.ForeignKeyConstraint(["removed_gen"], ["generations.number"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key_id"),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_keys_added_gen"), "keys", ["added_gen"], unique=False)
    op.create_index(op.f("ix_keys_removed_gen"), "keys", ["removed_gen"], unique=False)
    op.create_index(
        "keys_live",
        "keys",
        ["name"],
        unique=True,
        sqlite_where=sa.text("removed_gen IS NULL"),
        postgresql_where=sa.text("removed_gen IS NULL"),
    )
    op.create_table(
        "labels",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("field", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.Column(
            "origin", TEXT, sa.CheckConstraint("origin in ('analyst', 'import')"), nullable=False
        ),
        sa.Column("added_gen", sa.Integer(), nullable=False),
        sa.Column("removed_gen", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["added_gen"], ["generations.number"]),
        sa.ForeignKeyConstraint(["removed_gen"], ["generations.number"]),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_labels_added_gen"), "labels", ["added_gen"], unique=False)
    op.create_index(op.f("ix_labels_removed_gen"), "labels", ["removed_gen"], unique=False)
    op.create_index("labels_said", "labels", ["sha256", "field"], unique=False)
    op.create_table(
        "lineage",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("before", TEXT, nullable=True),
        sa.Column("after", TEXT, nullable=True),
        sa.Column("images", sa.Integer(), nullable=False),
        sa.Column("added_gen", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["added_gen"], ["generations.number"]),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_lineage_added_gen"), "lineage", ["added_gen"], unique=False)
    op.create_table(
        "memberships",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("family", TEXT, nullable=True),
        sa.Column("strength", sa.Float(), nullable=False),
        sa.Column("said", sa.Boolean(), nullable=False),
        sa.Column("added_gen", sa.Integer(), nullable=False),
        sa.Column("removed_gen", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["added_gen"], ["generations.number"]),
        sa.ForeignKeyConstraint(["removed_gen"], ["generations.number"]),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_memberships_added_gen"), "memberships", ["added_gen"], unique=False)
    op.create_index(
        op.f("ix_memberships_removed_gen"), "memberships", ["removed_gen"], unique=False
    )
    op.create_index("memberships_image", "memberships", ["sha256"], unique=False)
    op.create_table(
        "proposals",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("family", TEXT, nullable=False),
        sa.Column("term", TEXT, nullable=True),
        sa.Column("stability", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["generation"], ["generations.number"]),
        sa.PrimaryKeyConstraint("generation", "family"),
    )
    op.create_table(
        "rejects",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("uri", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("detail", TEXT, nullable=False),
        sa.Column("sha256", TEXT, nullable=True),
        sa.Column("added_gen", sa.Integer(), nullable=False),
        sa.Column("removed_gen", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["added_gen"], ["generations.number"]),
        sa.ForeignKeyConstraint(["removed_gen"], ["generations.number"]),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_rejects_added_gen"), "rejects", ["added_gen"], unique=False)
    op.create_index(op.f("ix_rejects_removed_gen"), "rejects", ["removed_gen"], unique=False)
    op.create_index(
        "rejects_live",
        "rejects",
        ["uri", "reason"],
        unique=True,
        sqlite_where=sa.text("removed_gen IS NULL"),
        postgresql_where=sa.text("removed_gen IS NULL"),
    )
    op.create_table(
        "shards",
        sa.Column("id", KEY, autoincrement=True, nullable=False),
        sa.Column("uri", TEXT, nullable=False),
        sa.Column("version", TEXT, nullable=False),
        sa.Column("added_gen", sa.Integer(), nullable=False),
        sa.Column("removed_gen", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["added_gen"], ["generations.number"]),
        sa.ForeignKeyConstraint(["removed_gen"], ["generations.number"]),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_shards_added_gen"), "shards", ["added_gen"], unique=False)
    op.create_index(op.f("ix_shards_removed_gen"), "shards", ["removed_gen"], unique=False)
    op.create_table(
        "found",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("image_id", KEY, autoincrement=False, nullable=False),
        sa.Column("community", TEXT, nullable=True),
        sa.Column("family", TEXT, nullable=True),
        sa.Column("strength", sa.Float(), nullable=False),
        sa.Column("x", sa.Float(), nullable=False),
        sa.Column("y", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["generation"], ["generations.number"]),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"]),
        sa.PrimaryKeyConstraint("generation", "image_id"),
    )
    op.create_table(
        "locations",
        sa.Column("image_id", KEY, autoincrement=False, nullable=False),
        sa.Column("uri", TEXT, nullable=False),
        sa.Column("added_gen", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["added_gen"], ["generations.number"]),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"]),
        sa.PrimaryKeyConstraint("image_id", "uri"),
    )
    op.create_index(op.f("ix_locations_added_gen"), "locations", ["added_gen"], unique=False)
    op.create_table(
        "patches",
        sa.Column("image_id", KEY, autoincrement=False, nullable=False),
        sa.Column("codes", sa.LargeBinary(), nullable=False),
        sa.Column("scales", sa.LargeBinary(), nullable=False),
        sa.Column("boxes", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"]),
        sa.PrimaryKeyConstraint("image_id"),
    )
    op.create_table(
        "taps",
        sa.Column("image_id", KEY, autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"]),
        sa.PrimaryKeyConstraint("image_id"),
    )
    op.create_table(
        "terms",
        sa.Column("image_id", KEY, autoincrement=False, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("number", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"]),
        sa.PrimaryKeyConstraint("image_id", "key"),
    )
    op.create_table(
        "thumbnails",
        sa.Column("image_id", KEY, autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"]),
        sa.PrimaryKeyConstraint("image_id"),
    )
    for statement in REFUSALS[op.get_bind().dialect.name]:
        op.execute(statement)
