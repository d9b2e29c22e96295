"""Ids and unit vectors to nearest neighbours. FAISS is loaded with this package."""

from indexer.vectors.choose import Choice, build_vectors
from indexer.vectors.exact import ExactIndex
from indexer.vectors.faiss_index import FaissIndex
from indexer.vectors.neighbours import Neighbours, nearest_others
from indexer.vectors.ranking import located, similarities

__all__ = [
    "Choice",
    "ExactIndex",
    "FaissIndex",
    "Neighbours",
    "build_vectors",
    "located",
    "nearest_others",
    "similarities",
]
