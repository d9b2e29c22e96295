"""Maps of an image: what matched in another, or what speaks for fake. Never both in one picture."""

from indexer.explain.explanation import Explanation, Vary, record
from indexer.explain.fake import Attend, explain_fake
from indexer.explain.local import Local
from indexer.explain.match import Side, explain_match, side_encoded, side_stored

__all__ = [
    "Attend",
    "Explanation",
    "Local",
    "Side",
    "Vary",
    "explain_fake",
    "explain_match",
    "record",
    "side_encoded",
    "side_stored",
]
