"""What engines leave on the disk between runs: converted models that have passed the gate.

One folder per key under the cache directory, published by a rename, its files checked by
sha256 when it is opened. It may be deleted at any time: it is made again.
"""

import hashlib
import json
import logging
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from indexer.checkpoints import cache_directory, sha256_of
from indexer.encoder.engine import Reading
from indexer.encoder.gate import Deviation

MANIFEST = "manifest.json"


def cache_key(reading: Reading, engine: Mapping[str, str], *packages: str) -> dict[str, Any]:
    """Everything that a converted model and its gate depend on; `engine` describes the engine
    and the machine, `packages` are those that compute."""
    checkpoint = reading.checkpoint
    return {
        "weights": checkpoint.weights_sha256,
        "architecture": asdict(checkpoint.architecture),
        "recipe": checkpoint.recipe.to_json(),
        "layers": reading.layers,
        "patch_layer": reading.patch_layer,
        "engine": dict(engine),
        "packages": {name: version(name) for name in ("torch", "transformers", *packages)},
        "code": _code(),
    }


def find(key: Mapping[str, Any]) -> Path | None:
    """The folder published under `key`; None when there is none or a file of it is damaged."""
    folder = _folder(key)
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        whole = all(sha256_of(folder / name) == sha for name, sha in manifest["files"].items())
    except (OSError, ValueError):
        return None
    return folder if whole and manifest["key"] == json.loads(_text(key)) else None


def publish(key: Mapping[str, Any], gate: Deviation, write: Callable[[Path], None]) -> None:
    """Keep what `write` puts into a folder, and what the gate found.

    A cache directory that cannot be written to costs the next start its time, nothing else.
    """
    folder = _folder(key)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".partial-"))
        try:
            write(partial)
            files = {path.name: sha256_of(path) for path in partial.iterdir()}
            manifest = {"key": dict(key), "gate": asdict(gate), "files": files}
            (partial / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
            if find(key) is None:  # or another process was quicker
                shutil.rmtree(folder, ignore_errors=True)  # damaged
                partial.rename(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        logging.getLogger(__name__).warning(
            "the converted model cannot be kept (%s); it is converted again at each start", error
        )


def _folder(key: Mapping[str, Any]) -> Path:
    digest = hashlib.sha256(_text(key).encode()).hexdigest()
    return cache_directory() / "engines" / digest[:32]


def _text(key: Mapping[str, Any]) -> str:
    return json.dumps(key, sort_keys=True)


@cache
def _code() -> str:
    """sha256 over this package's source: a change of the graph or of the gate is a new key."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
