"""The report itself: gathered, shown, packed, signed, and recorded in the audit chain."""

import os
from datetime import UTC, datetime
from pathlib import Path

from indexer.custody import Entry
from indexer.custody.canonical import canonical
from indexer.custody.package import pack, sha256
from indexer.custody.signing import SigningKey
from indexer.evidence.code import software
from indexer.evidence.gather import Asked, gather
from indexer.evidence.maps import draw_maps
from indexer.evidence.page import render
from indexer.evidence.shape import FORMAT
from indexer.explain import Looker
from indexer.index import Index, query_encoded


def default_key() -> Path:
    """Where the signing key of this user is kept: XDG_CONFIG_HOME or ~/.config, lineup."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "lineup" / "signing.pem"


def make_report(
    index: Index, asked: Asked, looker: Looker, key: SigningKey, *, note: str, author: str
) -> bytes:
    """A signed ZIP (`indexer.custody.package`) about the image of `asked`, which `looker` is.

    Holds report.json (RFC 8785), report.html, the image, a preview of it, the thumbnails of the
    hits, the maps and the calibration. The audit chain tells of the search and of the report, by
    its sha256, before it is returned.
    """
    query = query_encoded(looker.encoded)
    gathered = gather(index, asked, query, author)
    hits = [hit["sha256"] for hit in gathered.facts["hits"]]
    generation = gathered.facts["gallery"]["generation"]
    maps = draw_maps(index, looker, hits, generation)
    made = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "author": author,
        "note": note,
        "software": software(),
        "audit_head": str(index.store.audit.head),
        "public_key": key.public,
    }
    report = {"format": FORMAT, "made": made, **gathered.facts, "maps": maps.facts}
    members = gathered.members | maps.members
    members |= {
        "report.json": canonical(report),
        "report.html": render(report, members).encode(),
    }
    package = pack(members, key)
    details = {"query": query.sha256, "report": sha256(package), "public_key": key.public}
    index.store.audit.record(Entry("report", author, details, generation))
    return package
