"""The audit chain of an index as people and other programs read it."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from indexer.custody import Entry, Head
from indexer.index.core import Index


def verify(index: Index, kept: Head | None = None) -> dict[str, Any]:
    """Check the chain and that the file holds what it tells; `kept` is a head noted earlier."""
    problems = index.store.audit.faults(kept)
    head = index.store.audit.head
    return {
        "ok": not problems,
        "index": index.store.identity,
        "rows": head.number,
        "head": str(head),
        "problems": problems,
    }


def export(index: Index, to: str | Path, author: str = "indexer") -> Head:
    """Write the chain as JSON lines: first what it belongs to, then each row, `details` as the
    text that was hashed. Returns the head that the file ends with; the chain then tells of it.
    """
    trail = index.store.audit
    first = {"index": index.store.identity, "genesis": trail.genesis}
    last = Head(0, trail.genesis)
    with Path(to).open("w", encoding="utf-8") as file:
        file.write(json.dumps(first) + "\n")
        for row in trail.rows():
            file.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")
            last = row.head
    trail.record(Entry("export", author, {"audit": str(last), "to": str(to)}))
    return last
