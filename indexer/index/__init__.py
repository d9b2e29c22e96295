"""The facade: build an index, search it, check it."""

from indexer.index.build import BuildSummary
from indexer.index.build import build as build_index
from indexer.index.core import Index
from indexer.index.regions import (
    RegionAnswer,
    RegionHit,
    RegionQuery,
    region_bytes,
    region_encoded,
    region_stored,
    search_region,
)
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
from indexer.index.timings import Timings

__all__ = [
    "Answer",
    "BuildSummary",
    "Hit",
    "Index",
    "Likelihood",
    "Query",
    "RegionAnswer",
    "RegionHit",
    "RegionQuery",
    "Timings",
    "build_index",
    "query_bytes",
    "query_encoded",
    "query_stored",
    "region_bytes",
    "region_encoded",
    "region_stored",
    "search",
    "search_region",
]
