"""The facade: build an index, search it, check it."""

from indexer.index.build import BuildSummary
from indexer.index.build import build as build_index
from indexer.index.core import Index
from indexer.index.search import (
    Answer,
    Hit,
    Likelihood,
    Query,
    query_bytes,
    query_encoded,
    query_stored,
    search,
)

__all__ = [
    "Answer",
    "BuildSummary",
    "Hit",
    "Index",
    "Likelihood",
    "Query",
    "build_index",
    "query_bytes",
    "query_encoded",
    "query_stored",
    "search",
]
