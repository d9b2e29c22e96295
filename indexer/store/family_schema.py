"""The tables of families: what analysts decided, what was found, and what is in force.

Decisions, builds and lineage are only ever inserted. Memberships and families in force are
the fold of the decisions over the last build (`indexer.families.fold`), written out as
rows so that a filter can read them at any generation.
"""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
)

from indexer.store.schema import Text, generation_column, key_column, metadata


def _of_generation() -> Column[int]:
    return Column(
        "generation", ForeignKey("generations.number"), primary_key=True, autoincrement=False
    )


decisions = Table("decisions", metadata, _of_generation(), Column("action", JSON, nullable=False))
"""A decision is a generation of its own, which gives it number, author and time."""

family_builds = Table(
    "family_builds",
    metadata,
    _of_generation(),
    Column("covers", Integer, nullable=False),
    Column("fit", Integer, nullable=False),
)
"""Families were found on the gallery of `covers` with the descriptors of `fit`."""

found = Table(
    "found",
    metadata,
    _of_generation(),
    Column("image_id", ForeignKey("images.id"), primary_key=True, autoincrement=False),
    Column("community", Text),
    Column("family", Text),
    Column("strength", Float, nullable=False),
    Column("x", Float, nullable=False),
    Column("y", Float, nullable=False),
)
"""What a build found of each image, and its place on the map; no community: a real image."""

proposals = Table(
    "proposals",
    metadata,
    _of_generation(),
    Column("family", Text, primary_key=True),
    Column("term", Text),
    Column("stability", Float, nullable=False),
)
"""Of each family that a build found: the metadata term that sets it apart, and how stable."""

memberships = Table(
    "memberships",
    metadata,
    key_column(),
    Column("sha256", Text, nullable=False),
    Column("family", Text),
    Column("strength", Float, nullable=False),
    Column("said", Boolean, nullable=False),
    generation_column("added_gen"),
    generation_column("removed_gen", nullable=True),
    sqlite_autoincrement=True,
)
"""The family in force; `said`: somebody's word, not a clustering's. No family: in none, said."""
Index("memberships_image", memberships.c.sha256)

families = Table(
    "families",
    metadata,
    key_column(),
    Column("family", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_from", Text, nullable=False),
    generation_column("added_gen"),
    generation_column("removed_gen", nullable=True),
    sqlite_autoincrement=True,
)
Index("families_id", families.c.family)

lineage = Table(
    "lineage",
    metadata,
    key_column(),
    Column("kind", Text, nullable=False),
    Column("before", Text),
    Column("after", Text),
    Column("images", Integer, nullable=False),
    generation_column("added_gen"),
    sqlite_autoincrement=True,
)
