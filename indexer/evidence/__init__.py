"""Evidence reports: a search with everything that it rests on, signed, and replayed later."""

from indexer.evidence.gather import Asked
from indexer.evidence.replay import Verification, verify
from indexer.evidence.report import default_key, make_report

__all__ = ["Asked", "Verification", "default_key", "make_report", "verify"]
