"""The truth of an index: everything that cannot be derived again, in one transactional file."""

from indexer.store.records import (
    ApiKey,
    Columns,
    Counts,
    Fit,
    Generation,
    Match,
    NewImage,
    Reject,
    StoredImage,
)
from indexer.store.store import Store
from indexer.store.transaction import Transaction

__all__ = [
    "ApiKey",
    "Columns",
    "Counts",
    "Fit",
    "Generation",
    "Match",
    "NewImage",
    "Reject",
    "Store",
    "StoredImage",
    "Transaction",
]
