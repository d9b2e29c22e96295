"""The two reads of every search, made once: making a statement costs more than running it."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Integer, bindparam, select

from indexer.errors import NotFound
from indexer.store.records import Match
from indexer.store.schema import images, locations
from indexer.store.sql import chunks, effective, live

GENERATION: Final = bindparam("generation", type_=Integer)

_uri = (
    select(locations.c.uri)
    .where(locations.c.image_id == images.c.id, locations.c.added_gen <= GENERATION)
    .order_by(locations.c.added_gen, locations.c.uri)
    .limit(1)
    .correlate(images)
    .scalar_subquery()
)
_match = select(
    images.c.id,
    images.c.sha256,
    _uri.label("uri"),
    *(effective(field, GENERATION).label(field) for field in ("label", "family", "source")),
    images.c.score,
)
BY_ID: Final = _match.where(images.c.id.in_(bindparam("ids", expanding=True)))
BY_SHA256: Final = _match.where(images.c.sha256 == bindparam("sha256"), live(images, GENERATION))


def matches(connection: Connection, ids: Sequence[int], generation: int) -> list[Match]:
    """Images as `generation` saw them, in the order of the ids. Raises NotFound."""
    found: dict[int, Match] = {}
    for chunk in chunks(ids):
        rows = connection.execute(BY_ID, {"ids": chunk, "generation": generation})
        found |= {row.id: Match(**row._mapping) for row in rows}
    if absent := [id_ for id_ in ids if id_ not in found]:
        raise NotFound(f"no image with the internal id {absent[0]} in the index")
    return [found[id_] for id_ in ids]


def match(connection: Connection, sha256: str, generation: int) -> Match:
    """The image with this content that is there at `generation`. Raises NotFound."""
    values: dict[str, Any] = {"sha256": sha256, "generation": generation}
    row = connection.execute(BY_SHA256, values).first()
    if row is None:
        raise NotFound(f"no image {sha256} in generation {generation} of the index")
    return Match(**row._mapping)
