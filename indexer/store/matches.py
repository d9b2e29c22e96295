"""The two reads of every search."""

import json
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, Integer, bindparam, select

from indexer.errors import NotFound
from indexer.store.listed import integers
from indexer.store.prepared import Prepared
from indexer.store.records import Match
from indexer.store.schema import images, locations
from indexer.store.sql import effective, live

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
BY_IDS: Final = Prepared(_match.where(images.c.id.in_(integers(bindparam("ids")))))
BY_SHA256: Final = Prepared(
    _match.where(images.c.sha256 == bindparam("sha256"), live(images, GENERATION))
)


def matches(connection: Connection, ids: Sequence[int], generation: int) -> list[Match]:
    """Images as `generation` saw them, in the order of the ids. Raises NotFound."""
    rows = BY_IDS(connection, ids=json.dumps(ids), generation=generation)
    found = {row[0]: Match(*row) for row in rows}
    if absent := set(ids) - found.keys():
        raise NotFound(f"no image with the internal id {min(absent)} in the index")
    return [found[id_] for id_ in ids]


def match(connection: Connection, sha256: str, generation: int) -> Match:
    """The image with this content that is there at `generation`. Raises NotFound."""
    found = BY_SHA256(connection, sha256=sha256, generation=generation)
    if not found:
        raise NotFound(f"no image {sha256} in generation {generation} of the index")
    return Match(*found[0])
