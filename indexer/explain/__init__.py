"""Maps of an image: what matched in another, or what speaks for fake. Never both in one picture."""

from indexer.explain.explanation import Explanation, Looker, record
from indexer.explain.fake import explain_fake
from indexer.explain.local import Local, in_chunks
from indexer.explain.match import Side, explain_match, side_encoded, side_stored

__all__ = [
    "Explanation",
    "Local",
    "Looker",
    "Side",
    "explain_fake",
    "explain_match",
    "in_chunks",
    "record",
    "side_encoded",
    "side_stored",
]
