"""ZIP files that somebody made to do harm: refused, at little cost, and nothing is written."""

import io
import json
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest

from indexer.custody import package
from indexer.custody.canonical import canonical
from indexer.custody.package import pack, unpack
from indexer.custody.signing import SigningKey

KEY = SigningKey.generate()
MEBIBYTE = 1024 * 1024


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


def overlapping(count: int, size: int) -> bytes:
    """`count` members, each holding all that follows its header, whose sum is far more than the
    file (D. Fifield, "A better zip bomb", 2019, without compression)."""
    headers, kernel = [], bytes(size)
    body, directory = kernel, b""
    for number in reversed(range(count)):
        name = f"m{number:05}".encode()
        facts = struct.pack("<III", zlib.crc32(body), len(body), len(body))
        head = struct.pack("<IHHHHH", 0x04034B50, 20, 0, 0, 0, 0) + facts
        head += struct.pack("<HH", len(name), 0) + name
        headers.append((name, facts, len(head)))
        body = head + body
    at = 0
    for name, facts, length in reversed(headers):
        directory += struct.pack("<IHHHHHH", 0x02014B50, 20, 20, 0, 0, 0, 0) + facts
        directory += struct.pack("<HHHHHII", len(name), 0, 0, 0, 0, 0, at) + name
        at += length
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, len(directory), len(body), 0)
    return body + directory + end


NESTED = zipped(("a.zip", zipped(("bomb", bytes(10 * MEBIBYTE)), method=zipfile.ZIP_DEFLATED)))

REFUSED: dict[str, tuple[bytes, str]] = {
    "ratio": (
        zipped(("bomb", bytes(64 * MEBIBYTE)), method=zipfile.ZIP_DEFLATED),
        "bomb is compressed",
    ),
    "bzip2": (zipped(("bomb", bytes(8 * MEBIBYTE)), method=zipfile.ZIP_BZIP2), "is compressed"),
    "overlapping": (overlapping(400, MEBIBYTE), "members of 422,303,200 bytes in"),
    "entries": (zipped(*((f"m{n}", b"") for n in range(10_001))), "10,001 members"),
    "parent": (zipped(("../../etc/cron.d/x", b"")), "a member named '../../etc/cron.d/x'"),
    "absolute": (zipped(("/etc/passwd", b"")), "a member named '/etc/passwd'"),
    "through": (zipped(("a/../../b", b"")), "a member named 'a/../../b'"),
    "hidden": (zipped((".bashrc", b"")), "a member named '.bashrc'"),
    "drive": (zipped(("C:\\x", b"")), "a member named 'C:\\\\x'"),
    "folder": (zipped(("a/", b"")), "a member named 'a/'"),
    "terminal": (zipped(("a\x1b[2J", b"")), "a member named 'a\\x1b[2J'"),
    "nested": (NESTED, "no Ed25519 signature"),
    "no ZIP": (b"PK\x05\x06" + bytes(17), "no ZIP file that can be read"),
}


def test_overlapping_members_are_what_they_claim() -> None:
    with zipfile.ZipFile(io.BytesIO(overlapping(3, 1000))) as archive:
        sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
        assert sizes == {"m00002": 1000, "m00001": 1036, "m00000": 1072}


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_archive_is_refused_with_its_reason(name: str) -> None:
    data, reason = REFUSED[name]
    assert reason in "; ".join(unpack(data).problems)


def test_refusing_them_costs_little_memory(tmp_path: Path) -> None:
    for name, (data, _) in REFUSED.items():
        (tmp_path / f"{name}.zip").write_bytes(data)
    script = """
import resource, sys
from pathlib import Path
from indexer.custody.package import unpack
largest = sorted(Path(sys.argv[1]).iterdir())
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in largest:
    assert unpack(path.read_bytes()).problems
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert int(done.stdout) < 24 * 1024
    assert {path.suffix for path in tmp_path.rglob("*")} == {".zip"}


def test_a_file_over_the_limit_is_not_even_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    data = pack({"a": bytes(1000)}, KEY)
    monkeypatch.setattr(package, "MAX_BYTES", 1000)
    (problem,) = unpack(data).problems
    assert problem == f"no package: {len(data):,} bytes; expected at most 1,000"


def test_an_archive_within_a_package_is_only_bytes() -> None:
    found = unpack(pack({"a.zip": NESTED}, KEY))
    assert (found.problems, found.members["a.zip"]) == ([], NESTED)


def signed(manifest: bytes) -> bytes:
    """A ZIP with a manifest of one's own making, signed."""
    fields = {"algorithm": "Ed25519", "public_key": KEY.public, "signature": KEY.sign(manifest)}
    members = ("a", b"x"), ("manifest.json", manifest), ("signature.json", canonical(fields))
    return zipped(*members)


@pytest.mark.parametrize(
    "manifest",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"9" * 5000,
        b"[]",
        b'{"format": "lineup-package/1", "sha256": []}',
        json.dumps({"format": "lineup-package/1", "sha256": {"a": 5}}).encode(),
        json.dumps({"format": "lineup-package/1", "sha256": {"a": {"b": None}}}).encode(),
    ],
)
def test_a_signed_manifest_of_odd_json_is_a_problem(manifest: bytes) -> None:
    assert unpack(signed(manifest)).problems


@pytest.mark.parametrize("public", ["\ud800", "x" * 64, "0" * 64, "", "0" * 63])
def test_a_signature_of_odd_text_is_a_problem(public: str) -> None:
    fields = {"algorithm": "Ed25519", "public_key": public, "signature": "0" * 128}
    data = zipped(("signature.json", json.dumps(fields).encode()), ("manifest.json", b"{}"))
    assert unpack(data).problems
