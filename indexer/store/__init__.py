"""The truth of an index: all that cannot be derived again, in one transactional database."""

from indexer.store.claims import Claims
from indexer.store.database import is_url
from indexer.store.migrating import upgrade
from indexer.store.records import (
    ApiKey,
    Change,
    Columns,
    Counts,
    Decided,
    FamilyBuild,
    Fit,
    Found,
    Generation,
    Match,
    Membership,
    NamedFamily,
    NewImage,
    Proposal,
    Reject,
    StoredImage,
    Words,
)
from indexer.store.store import Store
from indexer.store.transaction import Transaction

__all__ = [
    "ApiKey",
    "Change",
    "Claims",
    "Columns",
    "Counts",
    "Decided",
    "FamilyBuild",
    "Fit",
    "Found",
    "Generation",
    "Match",
    "Membership",
    "NamedFamily",
    "NewImage",
    "Proposal",
    "Reject",
    "Store",
    "StoredImage",
    "Transaction",
    "Words",
    "is_url",
    "upgrade",
]
