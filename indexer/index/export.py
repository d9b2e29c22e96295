"""Embeddings and metadata in the layout that clip-retrieval made common.

`img_emb/img_emb_<shard>.npy` (n, dim) float32 unit descriptors and
`metadata/metadata_<shard>.parquet` with one row per image in the same order; pandas and numpy
read both. `passport.json` says what made them.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from indexer.custody import Entry
from indexer.errors import UsageError
from indexer.index.carried import carried
from indexer.index.core import Index
from indexer.index.encodings_file import write_encodings
from indexer.index.engines import without_engine
from indexer.store import StoredImage

SHARD = 100_000


def export(index: Index, to: str | Path, author: str = "indexer") -> dict[str, Any]:
    """Write the latest generation to a new or empty folder; returns what was written.

    The audit chain tells that `author` did so.
    """
    root = _new_folder(to)
    for name in ("img_emb", "metadata"):
        (root / name).mkdir(parents=True, exist_ok=True)
    gallery = index.gallery()
    ids = index.store.ids(generation=gallery.generation)
    starts = range(0, len(ids), SHARD)
    for shard, start in enumerate(starts):
        part = ids[start : start + SHARD]
        images = index.store.images(part, generation=gallery.generation)
        np.save(root / "img_emb" / f"img_emb_{shard}.npy", gallery.descriptors(part))
        frame = pd.DataFrame([_row(image) for image in images])
        frame.to_parquet(root / "metadata" / f"metadata_{shard}.parquet", index=False)
    facts = {
        "generation": gallery.generation,
        "images": len(ids),
        "shards": len(starts),
        "checkpoint": index.checkpoint,
        "passport": asdict(index.store.passport),
        "fit": gallery.derived.fit,
    }
    (root / "passport.json").write_text(json.dumps(facts, indent=1, sort_keys=True))
    _record(index, author, len(ids), root, gallery.generation)
    return facts


def export_encodings(index: Index, to: str | Path, author: str = "indexer") -> dict[str, Any]:
    """Write all encodings of the latest generation (`indexer.index.encodings_file`) to a new or
    empty folder; returns what was written. The audit chain tells that `author` did so."""
    root, store = _new_folder(to), index.store
    generation = store.generation
    write_encodings(
        carried(store, generation), store.passport, without_engine(store.reference), root
    )
    images = len(store.ids(generation=generation))
    _record(index, author, images, root, generation)
    return {"generation": generation, "images": images}


def _new_folder(to: str | Path) -> Path:
    root = Path(to)
    if root.exists() and any(root.iterdir()):
        raise UsageError(f"{root} is not empty", expected="a new or empty folder")
    root.mkdir(parents=True, exist_ok=True)
    return root


def _record(index: Index, author: str, images: int, root: Path, generation: int) -> None:
    details = {"images": images, "to": str(root)}
    index.store.audit.record(Entry("export", author, details, generation))


def _row(image: StoredImage) -> dict[str, Any]:
    return {
        "sha256": image.sha256,
        "image_path": image.uris[0],
        "label": image.annotation.label,
        "family": image.annotation.family,
        "source": image.annotation.source,
        "captured_at": image.annotation.captured_at,
        "score": image.score,
        "width": image.facts.width,
        "height": image.facts.height,
        "format": image.facts.format,
        "metadata": json.dumps(dict(image.metadata), sort_keys=True),
    }
