"""Which code made a report: the release says what it should be, the hash what it was."""

import hashlib
from functools import cache
from pathlib import Path

import indexer


@cache
def software() -> dict[str, str]:
    """{"name", "version", "code_sha256"}: the sha256 over `path sha256` lines of every file of
    the package that computes anything, in the order of their paths."""
    root = Path(indexer.__file__).parent
    lines = (
        f"{path.relative_to(root).as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}\n"
        for path in sorted(root.rglob("*"))
        if path.suffix in (".py", ".html") and "_data" not in path.parts
    )
    code = hashlib.sha256("".join(lines).encode()).hexdigest()
    return {"name": "lineup", "version": indexer.__version__, "code_sha256": code}
