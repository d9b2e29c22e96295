"""One image at a time into the gallery."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from indexer.index.core import Index
from indexer.index.encoding import named
from indexer.types import Annotation, Encoded


@dataclass(frozen=True, slots=True)
class Ingested:
    """`added` is False when the content was known already; then it may have gained a location
    and labels. `generation` is the first in which it is all there."""

    sha256: str
    generation: int
    added: bool


def ingest(
    index: Index,
    encoded: Encoded,
    uri: str,
    annotation: Annotation,
    metadata: Mapping[str, Any],
    *,
    author: str,
) -> Ingested:
    """Add an encoded image; durable when this returns. Raises UsageError on bad metadata."""
    digest = encoded.facts.sha256
    with index.store.commit("ingest", author) as txn:
        txn.add([named(encoded, uri, annotation, metadata, encoded.kept)])
        if not txn.added:
            txn.annotate(digest, annotation, origin="import")
        generation, added = txn.generation, bool(txn.added)
    return Ingested(digest, min(generation, index.store.generation), added)


def ingest_again(
    index: Index, digest: str, uri: str, annotation: Annotation, *, author: str
) -> Ingested:
    """What is said of an image that is there already. Raises NotFound."""
    with index.store.commit("ingest", author) as txn:
        txn.locate(digest, uri)
        txn.annotate(digest, annotation, origin="import")
        generation = txn.generation
    return Ingested(digest, min(generation, index.store.generation), added=False)


def take_out(index: Index, digest: str, *, author: str) -> int:
    """Remove an image; returns the generation without it. Raises NotFound."""
    index.store.image(digest)
    with index.store.commit("remove", author) as txn:
        txn.remove([digest])
        return txn.generation
