"""A case as a folder: rows to compute with, files to look at, a page to read."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from indexer.errors import UsageError
from indexer.index import Index
from indexer.notebook.pictures import sheet


def export_case(
    index: Index, images: Sequence[str], to: str | Path, note: str = ""
) -> dict[str, Any]:
    """Write images (sha256) of the index to a new or empty folder; returns what was written.

    `images.parquet` holds what is known of each, `labels.parquet` every decision, `thumbnails/`
    their thumbnails, `report.html` a page to read and `case.json` what the case was made from.
    The originals are not copied: their places are in `images.parquet`. Raises NotFound for an
    image that is not there.
    """
    root = Path(to)
    if root.exists() and any(root.iterdir()):
        raise UsageError(f"{root} is not empty", expected="a new or empty folder")
    for digest in images:
        index.store.image(digest)
    (root / "thumbnails").mkdir(parents=True)
    chosen = index.images().loc[list(images)]
    chosen.reset_index().to_parquet(root / "images.parquet", index=False)
    index.labels().reset_index().to_parquet(root / "labels.parquet", index=False)
    for digest in images:
        if (data := index.store.thumbnail(digest)) is not None:
            (root / "thumbnails" / f"{digest}.webp").write_bytes(data)
    facts = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "generation": index.store.generation,
        "checkpoint": index.checkpoint,
        "images": len(images),
        "note": note,
    }
    (root / "case.json").write_text(json.dumps(facts, indent=1, sort_keys=True))
    captions = [(digest, f"{row.family or row.label or 'unknown'} {digest[:12]}")
                for digest, row in chosen.iterrows()]  # fmt: skip
    (root / "report.html").write_text(
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>Case</title>"
        f"<h1>Case of {len(images)} images</h1><p>{escape(note)}</p>"
        f"<p>Generation {facts['generation']}, {facts['at']}.</p>"
        "<p>A similarity is a lead, not proof.</p>"
        f"{sheet(index, captions)}</html>",
        encoding="utf-8",
    )
    return facts
