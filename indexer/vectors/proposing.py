"""An index proposes, the exact vectors decide.

More candidates than asked for are fetched and compared again with the stored vectors, so that
similarities and the order of ties do not depend on codes, threads or insertion order.
"""

from collections.abc import Callable
from typing import Final

from indexer.types import Float32, Int64
from indexer.vectors.ranking import ranked, similarities

OVERFETCH: Final = 4
"""Candidates per neighbour asked for."""
TIE: Final = 1e-5
"""Similarities this close may have been ordered otherwise by an index."""
EXACT_ROWS: Final = 20_000
"""A filter that keeps at most so many rows is answered by comparing them all."""


def compared(
    ids: Int64, vectors: Float32, query: Float32, k: int, positions: Int64
) -> tuple[Int64, Float32]:
    """The k best of the rows at `positions`, as `VectorIndex.search` returns them."""
    return ranked(ids[positions], similarities(vectors, query, positions), k)


def decided(
    ids: Int64,
    vectors: Float32,
    query: Float32,
    k: int,
    size: int,
    propose: Callable[[int], Int64],
    everything: Callable[[], Int64],
) -> tuple[Int64, Float32]:
    """The k best among `size` rows, as `VectorIndex.search` returns them.

    `propose(m)` gives the positions of about the m nearest, fewer where the index reaches no
    more; `everything()` those of all, for when the proposals do not suffice.
    """
    wanted = min(k, size)
    fetch = wanted * OVERFETCH
    while fetch < size:
        found = propose(fetch)
        if len(found) < wanted:
            break  # what the index visited holds too few
        near, similarity = compared(ids, vectors, query, fetch, found)
        if len(near) < fetch or similarity[wanted - 1] - similarity[-1] > TIE:
            return near[:wanted], similarity[:wanted]
        fetch *= OVERFETCH
    return compared(ids, vectors, query, k, everything())
