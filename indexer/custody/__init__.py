"""What makes a record trustworthy: a chain of hashes, with nothing but values in and out."""

from indexer.custody.chain import Entry, Head, Row, faults, genesis, sealed

__all__ = ["Entry", "Head", "Row", "faults", "genesis", "sealed"]
