"""WebDataset tar shards: the files of a sample share a name up to the first dot of its base."""

import json
import posixpath
import tarfile
from collections.abc import Iterator
from typing import IO, Any

from indexer.errors import ImageRejected, UsageError
from indexer.images import Limits
from indexer.sources.folder import IMAGE_SUFFIXES
from indexer.sources.items import HeldItem
from indexer.sources.rows import annotated

TEXT_BYTES = 1 << 20
"""A sidecar is no larger than this."""


def read_tar(file: IO[bytes], url: str, limits: Limits = Limits()) -> Iterator[HeldItem]:  # noqa: B008
    """The images of a tar file, in its order, streamed: one sample is in memory at a time.

    `name.json` beside `name.jpg` says what is known of the image, with the names of a
    manifest's columns; other sidecars of text (`name.cls`, `name.txt`) are metadata under
    their suffix. Nothing is unpacked to disk. Raises UsageError on a sidecar that cannot be
    understood, OSError or tarfile.TarError where the file ends early or is damaged.
    """
    with tarfile.open(fileobj=file, mode="r|*") as archive:
        key: str | None = None
        sample: list[tuple[str, bytes | ImageRejected]] = []
        for member in archive:
            if not member.isfile() or posixpath.basename(member.name).startswith("."):
                continue
            if (own := _key(member.name)) != key:
                yield from _items(sample, url)
                key, sample = own, []
            sample.append((member.name, _content(archive, member, limits)))
        yield from _items(sample, url)


def _key(name: str) -> str:
    folder, base = posixpath.split(name)
    return posixpath.join(folder, base.split(".", 1)[0])


def _suffix(name: str) -> str:
    return posixpath.splitext(name)[1].lower()


def _content(
    archive: tarfile.TarFile, member: tarfile.TarInfo, limits: Limits
) -> bytes | ImageRejected:
    most = limits.max_bytes if _suffix(member.name) in IMAGE_SUFFIXES else TEXT_BYTES
    if member.size > most:
        return ImageRejected(
            "too-many-bytes",
            f"{member.name} of {member.size:,} bytes",
            expected=f"at most {most:,}",
        )
    extracted = archive.extractfile(member)
    return extracted.read() if extracted is not None else b""


def _items(sample: list[tuple[str, bytes | ImageRejected]], url: str) -> Iterator[HeldItem]:
    images = [(name, content) for name, content in sample if _suffix(name) in IMAGE_SUFFIXES]
    if not images:
        return
    row: dict[str, Any] = {}
    for name, content in sample:
        suffix = _suffix(name)
        if suffix not in IMAGE_SUFFIXES:
            row |= _said(content, suffix[1:], f"{url}, {name}")
    annotation, metadata = annotated(row, f"{url}, {images[0][0]}")
    for name, content in images:
        yield HeldItem(f"tar://{name}::{url}", content, annotation, metadata)


def _said(content: bytes | ImageRejected, suffix: str, where: str) -> dict[str, Any]:
    if isinstance(content, ImageRejected):
        raise UsageError(f"{where}: {content.found}", expected=content.expected)
    try:
        text = content.decode()
        said = json.loads(text) if suffix == "json" else {suffix: text.strip()}
    except ValueError as error:
        if suffix != "json":
            return {}  # arrays and other tensors beside an image say nothing that we can show
        raise UsageError(f"{where}: {error}", expected="JSON") from error
    if not isinstance(said, dict):
        raise UsageError(f"{where}: a {type(said).__name__}", expected="a JSON object")
    return {key: value for key, value in said.items() if value not in (None, "")}
