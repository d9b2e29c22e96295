"""What an index holds, and whether it agrees with itself."""

from contextlib import suppress
from dataclasses import asdict
from typing import Any

from indexer.index.core import Index
from indexer.index.derived_folder import DerivedDamaged, check, folders, read_manifest
from indexer.index.kept_queries import KeptQueries
from indexer.index.usable import is_of
from indexer.store import Counts


def info(index: Index) -> dict[str, Any]:
    """The facts of an index, as plain data. `ok` is True: what could be read was read."""
    store = index.store
    generation = store.generation
    fit = store.fit_at(generation)
    return {
        "ok": True,
        "path": str(index.path),
        "generation": generation,
        "counts": _counts(store.counts()),
        "checkpoint": index.checkpoint,
        "passport": asdict(store.passport),
        "patches": index.patch_policy.reference,
        "vectors": {"at": index.vectors or "faiss", **_newest(index)},
        "fit": None if fit is None else asdict(fit),
        "kept_queries": len(KeptQueries(index).digests()),
        "rejects": [asdict(reject) for reject in store.rejects()],
    }


def _newest(index: Index) -> dict[str, Any]:
    """How the vectors of the newest derived set are searched; nothing where there is none."""
    for generation, folder in folders(index.derived_root):
        with suppress(DerivedDamaged):
            return {"generation": generation, **read_manifest(folder)["vectors"]}
    return {}


def verify(index: Index) -> dict[str, Any]:
    """Check the truth, its audit chain, every derived set and the recorded fits.

    `problems` is a list of {"what", "do"}; `ok` is True when it is empty. A damaged derived
    set is a problem but no loss: the next search computes it again from the truth.
    """
    problems = [
        {"what": found, "do": "restore the truth from a copy, or build the index again"}
        for found in index.store.check()
    ]
    problems += [
        {"what": f"audit: {found}", "do": "find out who wrote to the truth: docs/evidence.md"}
        for found in index.store.audit.faults()
    ]
    sets = []
    for generation, folder in folders(index.derived_root):
        try:
            manifest = check(folder)
        except DerivedDamaged as error:
            problems.append({"what": str(error), "do": f"delete {folder}; it is computed again"})
            continue
        if not is_of(index.store, manifest):
            said = f"{folder} is of a truth that was here before, or of a copy of it"
            problems.append({"what": said, "do": f"delete {folder}; it is computed again"})
            continue
        live = len(index.store.ids(generation=manifest["covers"]))
        if manifest["images"] != live:
            problems.append(
                {
                    "what": f"{folder} covers {manifest['images']} images, the truth has {live}",
                    "do": f"delete {folder}; it is computed again",
                }
            )
        sets.append({"generation": generation, **manifest["vectors"], "images": live})
    for _, folder in folders(index.derived_root / "patches"):
        try:
            check(folder)
        except DerivedDamaged as error:
            problems.append({"what": str(error), "do": f"delete {folder}; it is computed again"})
    return {
        "ok": not problems,
        "generation": index.store.generation,
        "counts": _counts(index.store.counts()),
        "passport": index.store.passport.digest,
        "derived": sets,
        "problems": problems,
    }


def _counts(counts: Counts) -> dict[str, Any]:
    named = {
        name: {key or "unknown": count for key, count in tally.items()}
        for name, tally in (("by_label", counts.by_label), ("by_family", counts.by_family))
    }
    return {**asdict(counts), **named}
