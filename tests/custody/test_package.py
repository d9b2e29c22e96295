"""A package in which any byte was changed says so."""

import io
import zipfile
from pathlib import Path

import pytest

from indexer.custody.package import pack, unpack
from indexer.custody.signing import SigningKey
from indexer.errors import LineupError, NotFound

KEY = SigningKey.generate()
MEMBERS = {"report.json": b'{"a":1}', "thumbnails/1.webp": bytes(range(64)), "empty": b""}
WHOLE = pack(MEMBERS, KEY)


def told(data: bytes) -> str:
    """Everything that is wrong with a package, "" for nothing."""
    return "; ".join(unpack(data).problems)


def test_a_package_gives_back_its_members() -> None:
    package = unpack(WHOLE, KEY.public)
    assert package.problems == []
    assert package.public_key == KEY.public
    assert MEMBERS.items() <= package.members.items()
    assert package.members.keys() - MEMBERS.keys() == {"manifest.json", "signature.json"}
    assert pack(dict(reversed(MEMBERS.items())), KEY) == WHOLE


@pytest.mark.parametrize("mask", [0x01, 0x20, 0xFF])
def test_every_flipped_byte_is_named(mask: int) -> None:
    for place in range(len(WHOLE)):
        altered = bytearray(WHOLE)
        altered[place] ^= mask
        assert told(bytes(altered)), f"byte {place}"


def test_every_cut_and_every_added_byte_is_named() -> None:
    for length in range(len(WHOLE)):
        assert told(WHOLE[:length]), f"cut to {length}"
        assert told(WHOLE[:length] + b"\0" + WHOLE[length:]), f"added at {length}"
    assert told(WHOLE + b"\0")
    assert told(b"\0" + WHOLE)


def test_members_that_are_altered_missing_or_added_are_named() -> None:
    other = pack(MEMBERS | {"report.json": b"{}"}, KEY)
    rebuilt = rezipped(
        unpack(other).members | {"manifest.json": unpack(WHOLE).members["manifest.json"]}
    )
    assert "the signature in signature.json is not that of manifest.json" in told(rebuilt)
    assert "report.json was altered" in told(rebuilt)
    members = dict(unpack(WHOLE).members)
    assert "extra is not in the manifest" in told(rezipped(members | {"extra": b""}))
    del members["empty"]
    assert told(rezipped(members)) == "empty is missing"
    del members["signature.json"]
    assert "there is no Ed25519 signature in signature.json" in told(rezipped(members))


def rezipped(members: dict[str, bytes]) -> bytes:
    """A plain ZIP, as any tool writes it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def test_the_same_members_in_another_zip_are_not_the_package() -> None:
    again = rezipped(dict(unpack(WHOLE).members))
    assert told(again).startswith("the ZIP around the members was altered, first at byte")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_is_there_twice_is_named() -> None:
    out = io.BytesIO(WHOLE)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("report.json", b"{}")
    assert "report.json is there more than once" in told(out.getvalue())


def test_another_key_is_named() -> None:
    other = SigningKey.generate()
    (problem,) = unpack(pack(MEMBERS, other), KEY.public).problems
    assert problem == f"it is signed with the key {other.public}; expected {KEY.public}"


def test_a_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "config" / "signing.pem"
    with pytest.raises(NotFound, match="no signing key"):
        SigningKey.load(path)
    made = SigningKey.load_or_make(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert SigningKey.load_or_make(path).public == made.public == SigningKey.load(path).public
    path.chmod(0o640)
    with pytest.raises(LineupError, match="chmod 600"):
        SigningKey.load(path)
    path.chmod(0o600)
    path.write_bytes(b"no key")
    with pytest.raises(LineupError, match="no Ed25519 key"):
        SigningKey.load(path)


def test_a_key_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(
        LineupError, match=r"no signing key can be made at .*: Not a directory; exp"
    ):
        SigningKey.load_or_make(tmp_path / "file" / "lineup" / "signing.pem")
