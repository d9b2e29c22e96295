"""What a file says of itself besides its pixels: EXIF, XMP, text and claims of provenance.

Anybody can write all of it, so it is reported and not believed. Only a C2PA claim is signed,
and what that signature is worth is told with it.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from PIL import ExifTags, Image

from indexer.images.c2pa_claims import claims
from indexer.images.decoding import DAMAGE, FORMATS

MAX_FIELDS: Final = 500
MAX_TEXT: Final = 20_000
"""So many fields, and characters of each, are reported; a note says where there were more."""

IFDS: Final = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo, ExifTags.IFD.Interop)
XMP: Final = ("xmp", "XML:com.adobe.xmp")
"""Where Pillow puts the packet, by format."""


def traces(data: bytes) -> dict[str, Any]:
    """Plain data for JSON: {"exif", "xmp", "text", "c2pa", "notes"}, of an image that `decode`
    accepts.

    `exif`, `xmp` and `text` (PNG chunks, comments) map names to text, `c2pa` is what
    `indexer.images.c2pa_claims.claims` gives, `notes` says what could not be read or was cut.
    """
    notes: list[str] = []
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        found = {
            name: _limited(name, _read(name, reader, image, notes), notes)
            for name, reader in (("exif", _exif), ("xmp", _xmp), ("text", _text))
        }
        media_type = Image.MIME[image.format or ""]
    return {**found, "c2pa": claims(data, media_type), "notes": notes}


Reader = Callable[[Image.Image], Iterator[tuple[str, object]]]


def _read(name: str, reader: Reader, image: Image.Image, notes: list[str]) -> dict[str, str]:
    try:
        return {str(key): _as_text(value) for key, value in reader(image)}
    except DAMAGE as error:
        notes.append(f"{name}: damaged, not read ({error})")
        return {}


def _exif(image: Image.Image) -> Iterator[tuple[str, object]]:
    exif = image.getexif()
    for ifd, names in ((None, ExifTags.TAGS), *((ifd, _names(ifd)) for ifd in IFDS)):
        fields = exif if ifd is None else exif.get_ifd(ifd)
        for tag, value in fields.items():
            if tag not in IFDS:
                yield names.get(tag, f"{ifd.name if ifd else 'tag'} {tag:#06x}"), value


def _names(ifd: ExifTags.IFD) -> Mapping[int, str]:
    return ExifTags.GPSTAGS if ifd is ExifTags.IFD.GPSInfo else ExifTags.TAGS


def _xmp(image: Image.Image) -> Iterator[tuple[str, object]]:
    return ((name, image.info[name]) for name in XMP if name in image.info)


def _text(image: Image.Image) -> Iterator[tuple[str, object]]:
    chunks = getattr(image, "text", {})
    comment = {"comment": image.info["comment"]} if "comment" in image.info else {}
    return ((name, value) for name, value in {**chunks, **comment}.items() if name not in XMP)


def _as_text(value: object) -> str:
    """A value as text: bytes as UTF-8, or in hex where they are none."""
    if isinstance(value, tuple):
        return ", ".join(_as_text(part) for part in value)
    if not isinstance(value, bytes):
        # A half character has no place in a report.
        return str(value).encode(errors="replace").decode().rstrip("\0")
    try:
        return value.decode().rstrip("\0")
    except UnicodeDecodeError:
        return f"0x{value.hex()}"


def _limited(name: str, fields: dict[str, str], notes: list[str]) -> dict[str, str]:
    if len(fields) > MAX_FIELDS:
        notes.append(f"{name}: {len(fields):,} fields, of which {MAX_FIELDS} are reported")
    kept = dict(list(fields.items())[:MAX_FIELDS])
    for key, text in kept.items():
        if len(text) > MAX_TEXT:
            notes.append(f"{name}, {key[:80]}: {len(text):,} characters, cut to {MAX_TEXT:,}")
            kept[key] = text[:MAX_TEXT]
    return kept
