"""What the audit chain keeps of a query: hashes and figures, never the image."""

import hashlib
from collections.abc import Iterable, Mapping

from indexer.custody import Entry
from indexer.filters import Filter, as_expression
from indexer.index.core import Index


def record_query(
    index: Index,
    author: str,
    query: str,
    generation: int,
    hits: Iterable[tuple[str, float]],
    *,
    where: Filter | None,
    **asked: object,
) -> None:
    """Return when the chain durably tells that `author` asked.

    `query` is the sha256 of the image, `hits` (sha256, figure that they are ordered by) in
    order, `asked` what else was asked and concluded, JSON values.
    """
    lines = [f"{sha256} {figure!r}\n" for sha256, figure in hits]
    details: Mapping[str, object] = {
        **asked,
        "query": query,
        "where": None if where is None else as_expression(where),
        "hits": len(lines),
        "hits_sha256": hashlib.sha256("".join(lines).encode()).hexdigest(),
    }
    index.store.audit.record(Entry("query", author, details, generation))
