"""The tables of the truth: one schema for SQLite and PostgreSQL.

Rows are only ever inserted; the one update is `removed_gen`, once. Locations, taps,
thumbnails and terms belong to one image row and share its life. Labels belong to the
content (sha256): what an analyst said outlives the removal of an image.

A table whose rows belong to generations says so by a column `added_gen`, or by a foreign key to
`generations` or to such a table; `indexer.store.content` then covers it.
"""

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
)
from sqlalchemy import Text as AnyText

REVISION: Final = "0001"
"""The schema as it is here, the last of `indexer.store.migrations`; later ones sort after it."""

metadata = MetaData()

Text: Final = AnyText().with_variant(AnyText(collation="C"), "postgresql")
"""Text that compares by code point, as in SQLite and Python."""
Key: Final = BigInteger().with_variant(Integer, "sqlite")
"""The integer keys of images and of what is said of them; SQLite's are 64 bits wide anyway."""


def generation_column(name: str, *, nullable: bool = False) -> Column[int]:
    """A column that refers to a generation."""
    # Indexed: each commit records what came and went with it (`indexer.store.content`).
    return Column(name, ForeignKey("generations.number"), nullable=nullable, index=True)


def key_column() -> Column[int]:
    """An integer key that is never used again."""
    return Column("id", Key, primary_key=True, autoincrement=True)


def _image() -> Column[int]:
    return Column("image_id", ForeignKey("images.id"), primary_key=True, autoincrement=False)


store = Table(
    "store",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True),
    Column("identity", Text, nullable=False),
    Column("passport", Text, nullable=False),
    Column("reference", JSON, nullable=False),
)
"""What holds for the whole index. `identity` tells it from every other, copies of it share it;
`reference` is how its checkpoint is found and named."""

generations = Table(
    "generations",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("author", Text, nullable=False),
)

images = Table(
    "images",
    metadata,
    key_column(),
    Column("sha256", Text, nullable=False),
    Column("bytes", Key, nullable=False),
    Column("format", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("orientation", Integer, nullable=False),
    Column("animated", Boolean, nullable=False),
    Column("label", Text),
    Column("family", Text),
    Column("source", Text),
    Column("captured_at", Text),
    Column("metadata", JSON, nullable=False),
    Column("score", Float),
    Column("logits", LargeBinary),
    generation_column("added_gen"),
    generation_column("removed_gen", nullable=True),
    sqlite_autoincrement=True,
)
Index(
    "images_live",
    images.c.sha256,
    unique=True,
    sqlite_where=images.c.removed_gen.is_(None),
    postgresql_where=images.c.removed_gen.is_(None),
)
Index("images_sha256", images.c.sha256)
Index("images_generations", images.c.added_gen, images.c.removed_gen)
Index("images_removed", images.c.removed_gen)

locations = Table(
    "locations",
    metadata,
    Column("image_id", ForeignKey("images.id"), primary_key=True, autoincrement=False),
    Column("uri", Text, primary_key=True),
    generation_column("added_gen"),
)

taps = Table("taps", metadata, _image(), Column("data", LargeBinary, nullable=False))
"""The tap array of an image, float16 little-endian in C order, shape as the passport says."""

thumbnails = Table("thumbnails", metadata, _image(), Column("data", LargeBinary, nullable=False))

patches = Table(
    "patches",
    metadata,
    _image(),
    Column("codes", LargeBinary, nullable=False),
    Column("scales", LargeBinary, nullable=False),
    Column("boxes", LargeBinary, nullable=False),
)
"""The kept patch tokens of an image (`indexer.types.Patches`): int8 codes in C order, one
float32 little-endian scale and one box of four for each."""

terms = Table(
    "terms",
    metadata,
    Column("image_id", ForeignKey("images.id"), primary_key=True, autoincrement=False),
    Column("key", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("number", Float),
)
"""Metadata in the form that filters compare (`indexer.filters.as_text`, `as_number`)."""

fits = Table(
    "fits",
    metadata,
    Column("generation", ForeignKey("generations.number"), primary_key=True, autoincrement=False),
    Column("fitted_on", Integer, nullable=False),
)
"""From `generation` on, the projection fitted on the gallery of `fitted_on` applies."""

labels = Table(
    "labels",
    metadata,
    key_column(),
    Column("sha256", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("origin", Text, CheckConstraint("origin in ('analyst', 'import')"), nullable=False),
    generation_column("added_gen"),
    generation_column("removed_gen", nullable=True),
    sqlite_autoincrement=True,
)
Index("labels_said", labels.c.sha256, labels.c.field)

rejects = Table(
    "rejects",
    metadata,
    key_column(),
    Column("uri", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("sha256", Text),
    generation_column("added_gen"),
    generation_column("removed_gen", nullable=True),
    sqlite_autoincrement=True,
)
Index(
    "rejects_live",
    rejects.c.uri,
    rejects.c.reason,
    unique=True,
    sqlite_where=rejects.c.removed_gen.is_(None),
    postgresql_where=rejects.c.removed_gen.is_(None),
)

shards = Table(
    "shards",
    metadata,
    key_column(),
    Column("uri", Text, nullable=False),
    Column("version", Text, nullable=False),
    generation_column("added_gen"),
    generation_column("removed_gen", nullable=True),
    sqlite_autoincrement=True,
)
"""Files of many inputs that were read to their end (`indexer.types.Shard`)."""

keys = Table(
    "keys",
    metadata,
    key_column(),
    Column("key_id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("scopes", Text, nullable=False),
    generation_column("added_gen"),
    generation_column("removed_gen", nullable=True),
    sqlite_autoincrement=True,
)
"""Who may use the service: salted digests, never the keys; `scopes` separated by spaces."""
Index(
    "keys_live",
    keys.c.name,
    unique=True,
    sqlite_where=keys.c.removed_gen.is_(None),
    postgresql_where=keys.c.removed_gen.is_(None),
)
