"""A signed package: a ZIP of which every byte is vouched for.

`manifest.json` names each other member with its sha256, `signature.json` signs the bytes of the
manifest. Members are stored uncompressed, in the order of their names, with a fixed time and no
attributes, so that equal members make equal packages on every machine, and a package that is
not byte for byte what its members make has been altered.
"""

import hashlib
import io
import json
import re
import struct
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from indexer.custody.canonical import canonical
from indexer.custody.signing import SigningKey, is_signed

FORMAT = "lineup-package/1"
MANIFEST, SIGNATURE = "manifest.json", "signature.json"
ALGORITHM = "Ed25519"
UNLISTED = (MANIFEST, SIGNATURE)
EPOCH = (1980, 1, 1, 0, 0, 0)
MAX_BYTES = 512 * 1024 * 1024
MAX_MEMBERS = 10_000
"""No honest package is larger or has more members."""
_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)*", re.ASCII)

_DAMAGE = (zipfile.BadZipFile, ValueError, OSError, EOFError, RuntimeError, struct.error)
"""All that the standard library raises on ZIP data that were altered."""


class _Hostile(ValueError):
    """A ZIP whose members are not even to be read."""


@dataclass(frozen=True, slots=True)
class Package:
    """A package that was read: its members, who signed it, and whatever is wrong with it.

    `public_key` is "" where no signature can be read. Nothing in it is to be trusted unless
    `problems` is empty, and then as far as the holder of the key is.
    """

    members: Mapping[str, bytes]
    public_key: str
    problems: list[str] = field(default_factory=list)


def pack(members: Mapping[str, bytes], key: SigningKey) -> bytes:
    """A signed package of `members`, a mapping from name to bytes."""
    sums = {name: sha256(data) for name, data in members.items()}
    manifest = canonical({"format": FORMAT, "sha256": sums})
    signature = _signature(key.public, key.sign(manifest))
    return _zipped({**members, MANIFEST: manifest, SIGNATURE: signature})


def unpack(data: bytes, public_key: str | None = None) -> Package:
    """Read a package and check all of it; `public_key` is the one it has to be signed with.

    Nothing of it is decompressed or written anywhere, and what is read is no larger than `data`.
    """
    members: dict[str, bytes] = {}
    problems: list[str] = []
    try:
        if len(data) > MAX_BYTES:
            raise _Hostile(f"{len(data):,} bytes; expected at most {MAX_BYTES:,}")
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in _entries(archive, len(data)):
                if entry.filename in members:
                    problems.append(f"{entry.filename} is there more than once")
                members[entry.filename] = _read(archive, entry, problems)
    except _Hostile as error:
        return Package({}, "", [f"no package: {error}"])
    except _DAMAGE as error:
        return Package({}, "", [f"no ZIP file that can be read: {error}"])
    signer = _check_signature(members, public_key, problems)
    problems += _differences(members)
    if not problems and data != (whole := _zipped(members)):
        pairs = enumerate(zip(data, whole, strict=False))
        at = next((n for n, (one, other) in pairs if one != other), min(len(data), len(whole)))
        problems.append(f"the ZIP around the members was altered, first at byte {at:,}")
    return Package(members, signer, problems)


def _entries(archive: zipfile.ZipFile, size: int) -> list[zipfile.ZipInfo]:
    """The members of a ZIP of `size` bytes. Raises _Hostile on what no damage would make of a
    package: members that share their bytes or are compressed, too many, or named like a way
    out of the folder that somebody may unpack them in."""
    entries = archive.infolist()
    if len(entries) > MAX_MEMBERS:
        raise _Hostile(f"{len(entries):,} members; expected at most {MAX_MEMBERS:,}")
    for entry in entries:
        if not _NAME.fullmatch(entry.filename):
            raise _Hostile(f"a member named {entry.filename[:100]!a}")
        if entry.compress_type != zipfile.ZIP_STORED:  # so nothing is ever decompressed
            raise _Hostile(f"{entry.filename} is compressed; a package has no such member")
    if (claimed := sum(entry.file_size for entry in entries)) > size:
        raise _Hostile(f"members of {claimed:,} bytes in a file of {size:,}")
    return entries


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, problems: list[str]) -> bytes:
    try:
        return archive.read(entry)
    except _DAMAGE as error:
        problems.append(f"{entry.filename} cannot be read: {error}")
        return b""


def _check_signature(
    members: Mapping[str, bytes], expected: str | None, problems: list[str]
) -> str:
    """Who signed the manifest, "" where that cannot be read; a fault is added to `problems`."""
    fields = _object(members.get(SIGNATURE, b""))
    public, signature = (str(fields.get(name, "")) for name in ("public_key", "signature"))
    is_hex = re.fullmatch("[0-9a-f]{64}", public) and re.fullmatch("[0-9a-f]{128}", signature)
    if not is_hex or members.get(SIGNATURE) != _signature(public, signature):
        problems.append(f"there is no {ALGORITHM} signature in {SIGNATURE}")
        return ""
    if not is_signed(public, signature, members.get(MANIFEST, b"")):
        problems.append(f"the signature in {SIGNATURE} is not that of {MANIFEST}")
    elif expected is not None and public != expected:
        problems.append(f"it is signed with the key {public}; expected {expected}")
    return public


def _signature(public: str, signature: str) -> bytes:
    fields = {"algorithm": ALGORITHM, "public_key": public, "signature": signature}
    return canonical(fields)


def _differences(members: Mapping[str, bytes]) -> Iterator[str]:
    """One line for each member that is not as the manifest says."""
    manifest = _object(members.get(MANIFEST, b""))
    recorded = manifest.get("sha256")
    if manifest.get("format") != FORMAT or not isinstance(recorded, dict):
        yield f"there is no manifest of the format {FORMAT} in {MANIFEST}"
        return
    found = {name: sha256(data) for name, data in members.items() if name not in UNLISTED}
    for name in sorted(found.keys() | recorded.keys()):
        if name not in found:
            yield f"{name} is missing"
        elif name not in recorded:
            yield f"{name} is not in the manifest"
        elif found[name] != recorded[name]:
            signed = str(recorded[name])[:16]
            yield f"{name} was altered: sha256 {found[name][:16]}, signed {signed}"


def _zipped(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, data in sorted(members.items()):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system, entry.external_attr = 3, 0o644 << 16  # the same everywhere
            archive.writestr(entry, data)
    return out.getvalue()


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def sha256(data: bytes) -> str:
    """64 hex digits."""
    return hashlib.sha256(data).hexdigest()
