"""Rows of the truth as values: the reads that several questions share."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, Row, Select, case, func, select

from indexer.errors import NotFound
from indexer.store.prepared import Prepared
from indexer.store.records import Columns, StoredImage
from indexer.store.schema import generations, images, locations
from indexer.store.sql import ANNOTATED, FACTS, chunks, effective, live
from indexer.types import Annotation, Float32, ImageFacts, Int64

LATEST: Final = Prepared(select(func.coalesce(func.max(generations.c.number), 0)))


def latest_generation(connection: Connection) -> int:
    """The latest committed generation, 0 when there is none."""
    latest: int = LATEST(connection)[0][0]
    return latest


def live_id(connection: Connection, sha256: str, generation: int) -> int:
    """The id that a content has at `generation`. Raises NotFound."""
    found: int | None = connection.scalar(
        select(images.c.id).where(images.c.sha256 == sha256, live(images, generation))
    )
    if found is None:
        raise NotFound(f"no image {sha256} in generation {generation} of the index")
    return found


def rows_by_id(
    connection: Connection, query: Select[Any], ids: Sequence[int] | Int64
) -> Iterator[tuple[int, list[Row[Any]]]]:
    """Run `query`, whose first column is an image id, over `ids` in chunks; yields the offset
    and the rows in the order of the ids. Raises NotFound."""
    key = query.selected_columns[0]
    start = 0
    for chunk in chunks([int(id_) for id_ in ids]):
        rows = {row[0]: row for row in connection.execute(query.where(key.in_(chunk))).all()}
        if absent := [id_ for id_ in chunk if id_ not in rows]:
            raise NotFound(f"no image with the internal id {absent[0]} in the index")
        yield start, [rows[id_] for id_ in chunk]
        start += len(chunk)


def columns_of(
    connection: Connection, ids: Sequence[int] | Int64, generation: int, *, said: bool
) -> Columns:
    """What is known of images, in the order of the ids; see `Store.columns`. Raises NotFound."""
    current = (effective(field, generation, said=said).label(field) for field in ANNOTATED)
    query = select(images.c.id, images.c.sha256, *current, images.c.score, images.c.logits)
    rows = [row for _, part in rows_by_id(connection, query, ids) for row in part]
    return Columns(
        sha256=[row.sha256 for row in rows],
        label=[row.label for row in rows],
        family=[row.family for row in rows],
        source=[row.source for row in rows],
        captured_at=[row.captured_at for row in rows],
        score=[row.score for row in rows],
        logits=stacked_logits([row.logits for row in rows]),
    )


def filterable(
    connection: Connection, ids: Sequence[int] | Int64, generation: int
) -> list[dict[str, Any]]:
    """What filters read of images, metadata and sha256 apart, in the order of the ids. Raises
    NotFound."""
    query = select(
        images.c.id,
        *(effective(field, generation).label(field) for field in ANNOTATED),
        *(images.c[field] for field in ("format", "width", "height", "score")),
    )
    return [dict(row._mapping) for _, part in rows_by_id(connection, query, ids) for row in part]


def stored_images(connection: Connection, ids: Sequence[int], generation: int) -> list[StoredImage]:
    """Images as `generation` saw them, in the order of the ids. Raises NotFound."""
    uris: dict[int, list[str]] = {id_: [] for id_ in ids}
    for chunk in chunks(ids):
        rows = connection.execute(
            select(locations.c.image_id, locations.c.uri)
            .where(locations.c.image_id.in_(chunk), locations.c.added_gen <= generation)
            .order_by(locations.c.added_gen, locations.c.uri)
        )
        for image_id, uri in rows:
            uris[image_id].append(uri)
    return [
        StoredImage(
            id=row.id,
            sha256=row.sha256,
            uris=tuple(uris[row.id]),
            facts=ImageFacts(*(row._mapping[name] for name in FACTS)),
            annotation=Annotation(*(row._mapping[field] for field in ANNOTATED)),
            metadata=row.metadata,
            score=row.score,
            logits=None if row.logits is None else tuple(np.frombuffer(row.logits, "<f4").tolist()),
            added_gen=row.added_gen,
            removed_gen=row.removed_gen,
        )
        for _, part in rows_by_id(connection, _image_query(generation), ids)
        for row in part
    ]


@lru_cache(maxsize=64)
def _image_query(generation: int) -> Select[Any]:
    removed = case((images.c.removed_gen <= generation, images.c.removed_gen))
    return select(
        images.c.id,
        *(images.c[name] for name in FACTS),
        *(effective(field, generation).label(field) for field in ANNOTATED),
        images.c.metadata,
        images.c.score,
        images.c.logits,
        images.c.added_gen,
        removed.label("removed_gen"),
    )


def stacked_logits(blobs: list[bytes | None]) -> Float32:
    """(n, classes) float32 of logit blobs, NaN where there is none."""
    classes = max((len(blob) // 4 for blob in blobs if blob is not None), default=0)
    result = np.full((len(blobs), classes), np.nan, dtype=np.float32)
    for row, blob in enumerate(blobs):
        if blob is not None:
            result[row] = np.frombuffer(blob, "<f4")
    return result
