"""Fetch a pinned checkpoint once; afterwards its directory works without any network."""

import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from indexer.checkpoints.header import sha256_of
from indexer.checkpoints.registry import Known, Registry
from indexer.checkpoints.values import CONFIG, PROCESSOR, WEIGHTS
from indexer.errors import CheckpointError, UsageError


@dataclass(frozen=True, slots=True)
class Pinned:
    """A hub repository at a commit; `known` is its registry entry, if any."""

    repository: str
    revision: str
    known: Known | None

    @property
    def ref(self) -> str:
        """What a user types to name it."""
        return self.known.name if self.known else f"{self.repository}@{self.revision}"


def pin(ref: str, registry: Registry) -> Pinned | None:
    """Understand a registry name or a hub id `org/name@revision`; None when it is neither.

    Raises UsageError for a hub id whose revision nobody pins: a branch may change under an
    index that was built with it.
    """
    known = registry.get(ref)
    if known and known.repository and known.revision:
        return Pinned(known.repository, known.revision, known)
    match = re.fullmatch(r"([\w.-]+/[\w.-]+?)(?:@(.+))?", ref)
    if match is None:
        return None
    repository, revision = match.groups()
    entries = [entry for entry in registry.values() if entry.repository == repository]
    if revision is None and entries:
        revision = entries[0].revision
    if revision is None or not re.fullmatch(r"[0-9a-f]{40}", revision):
        raise UsageError(
            f"the hub id {ref} has no pinned revision",
            expected=f"{repository}@COMMIT with the 40 hex digits of a commit",
        )
    pinned = (entry for entry in entries if entry.revision == revision)
    return Pinned(repository, revision, next(pinned, None))


def cache_directory() -> Path:
    """Where pulled checkpoints are kept: `$LINEUP_CACHE`, else `~/.cache/lineup`."""
    root = os.environ.get("LINEUP_CACHE")
    return Path(root) if root else Path.home() / ".cache" / "lineup"


def cached(pinned: Pinned) -> Path:
    """The directory that holds (or will hold) a pulled checkpoint."""
    folder = f"{pinned.repository.replace('/', '--')}@{pinned.revision[:12]}"
    return cache_directory() / "checkpoints" / folder


def fetch(pinned: Pinned, to: Path | None = None) -> Path:
    """Download, check and place a checkpoint; returns its directory.

    Weights and configuration only: nothing that could run code. The directory appears
    whole or not at all. Raises CheckpointError without a network or when a digest is wrong.
    """
    destination = to or cached(pinned)
    if destination.exists() and any(destination.iterdir()):
        raise UsageError(f"{destination} exists and is not empty", do="name another directory")
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=destination.parent, prefix=".pull-") as scratch:
        folder = Path(scratch) / "checkpoint"
        _download(pinned, folder, destination)
        shutil.rmtree(folder / ".cache", ignore_errors=True)
        check_digest(folder, pinned.known)
        if destination.exists():
            destination.rmdir()
        folder.rename(destination)
    return destination


def check_digest(directory: Path, known: Known | None) -> str:
    """The sha256 of the weights in `directory`, equal to what the registry says if it does."""
    weights = directory / WEIGHTS
    size = weights.stat().st_size
    if known and known.bytes is not None and size != known.bytes:
        raise CheckpointError(
            f"{weights} has {size} bytes", expected=f"{known.bytes}", do="copy or pull it again"
        )
    digest = sha256_of(weights)
    if known and known.sha256 is not None and digest != known.sha256:
        raise CheckpointError(
            f"{weights} has sha256 {digest}", expected=known.sha256, do="copy or pull it again"
        )
    return digest


def absent(pinned: Pinned, destination: Path, why: str = "") -> CheckpointError:
    """The error for a checkpoint that is not here: what to copy where."""
    return CheckpointError(
        f"the checkpoint {pinned.ref} is not on this machine{why}",
        do=f"on a connected machine run `indexer model pull {pinned.ref} --to DIR` and copy "
        f"{WEIGHTS}, {CONFIG} and {PROCESSOR} (where there is one) to {destination}",
    )


def _download(pinned: Pinned, folder: Path, destination: Path) -> None:
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.utils import httpx  # type: ignore[attr-defined]  # exported lazily

    try:
        # One question without retries, so that a machine without network hears it at once.
        HfApi().model_info(pinned.repository, revision=pinned.revision, timeout=10)
        snapshot_download(
            pinned.repository,
            revision=pinned.revision,
            allow_patterns=[WEIGHTS, CONFIG, PROCESSOR],
            local_dir=folder,
        )
    except HfHubHTTPError as error:
        raise CheckpointError(
            f"the hub does not give {pinned.ref}: {str(error).splitlines()[0]}",
            expected="a public repository and one of its commits",
        ) from error
    except (httpx.HTTPError, OSError) as error:
        raise absent(pinned, destination, " and the hub cannot be reached") from error
    if not (folder / WEIGHTS).is_file():
        raise CheckpointError(
            f"{pinned.ref} has no {WEIGHTS} on the hub",
            expected="safetensors weights",
            do="convert a pickle with `indexer model convert FILE --to DIR`",
        )
