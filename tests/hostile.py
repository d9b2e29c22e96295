"""Files that an attacker, a broken disk or an odd scanner would send, each with its outcome.

`write_hostile(directory)` is shared by the suites of decoding, build and HTTP service. Contents are
made here from a seed, all different, so that no two share a sha256.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

DECODED = "decoded"
OVERSIZED = "oversized.jpg"
"""The one file that is large (sparse on disk): one byte over the default byte limit."""


def write_hostile(directory: Path) -> dict[str, str]:
    """Writes the files; name -> `DECODED` or the `ImageRejected.reason` it must get."""
    directory.mkdir(parents=True, exist_ok=True)
    expected: dict[str, str] = {}
    for family in (
        _not_images,
        _other_formats,
        _damaged,
        _bombs,
        _odd_sizes,
        _odd_modes,
        _odd_but_fine,
    ):
        for name, data, outcome in family():
            (directory / name).write_bytes(data)
            expected[name] = outcome
    with (directory / OVERSIZED).open("wb") as file:
        file.write(encode(picture(30), "JPEG"))
        file.truncate(64 * 1024 * 1024 + 1)
    return {**expected, OVERSIZED: "too-many-bytes"}


def picture(seed: int, width: int = 64, height: int = 48) -> Image.Image:
    """An RGB image of random 8 x 8 blocks under a gradient: detail, edges and smooth parts."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 160, (-(-height // 8), -(-width // 8), 3))
    pixels = np.kron(blocks, np.ones((8, 8, 1), int))[:height, :width]
    pixels += np.linspace(0, 95, width, dtype=int)[None, :, None]
    return Image.fromarray(pixels.astype(np.uint8))


def encode(image: Image.Image, format_name: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_name, **options)
    return buffer.getvalue()


File = tuple[str, bytes, str]


def _not_images() -> Iterator[File]:
    refused = "not-an-image"
    yield "empty.jpg", b"", "empty"
    yield "one-byte.png", b"\x89", refused
    yield "page.jpg", b"<!DOCTYPE html><html><body>404 <svg></svg></body></html>", refused
    yield "paper.jpg", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n", refused
    yield "archive.png", b"PK\x03\x04\x14\0\0\0\x08\0" + bytes(40), refused
    yield "archive-bomb.jpg", _zipped(bytes(8_000_000)), refused
    yield "program.jpg", b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0" + bytes(100), refused
    yield "notes", b"These are notes that somebody left without a suffix.\n", refused
    yield "zeros.tif", bytes(4096), refused
    yield "noise.webp", np.random.default_rng(1).bytes(4096), refused
    yield "sound.webp", b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0" + bytes(24), refused
    yield "film.avif", b"\0\0\0\x18ftypisom\0\0\2\0isommp41" + bytes(64), refused


def _other_formats() -> Iterator[File]:
    refused = "unsupported-format"
    svg = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
    yield "drawing.svg", svg, refused
    yield "favicon.ico", encode(picture(2), "ICO"), refused
    yield "layers.psd", b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 64, 64, 8, 3), refused
    yield "stars.fits", b"SIMPLE  =                    T".ljust(2880), refused
    yield "print.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n", refused
    yield (
        "bitmap.xbm",
        b"#define im_width 8\n#define im_height 8\nstatic char im_bits[] = {0};",
        refused,
    )
    yield "plain.ppm", encode(picture(3), "PPM"), refused
    yield "cinema.jp2", encode(picture(4), "JPEG2000"), refused
    yield "phone.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64), refused
    yield "ghost.png", b"%!PS\n(run me) show\n", refused


def _damaged() -> Iterator[File]:
    photo = encode(picture(5, 320, 240), "JPEG")
    png = encode(picture(6, 320, 240), "PNG")
    webp = encode(picture(7, 320, 240), "WEBP")
    gif = encode(picture(8, 320, 240), "GIF")
    bmp = encode(picture(9, 320, 240), "BMP")
    avif = encode(picture(10, 320, 240), "AVIF")
    tiff = encode(picture(11, 320, 240), "TIFF")
    deflated = encode(picture(12, 320, 240), "TIFF", compression="tiff_adobe_deflate")
    yield "half.jpg", photo[: len(photo) // 2], "truncated"
    yield "almost-whole.jpg", photo[:-200], "truncated"
    yield "header-only.jpg", photo[:20], "decode-error"
    yield "half.png", png[: len(png) // 2], "truncated"
    yield "signature-only.png", png[:8], "decode-error"
    yield "header-only.png", png[:33], "decode-error"
    yield "forged-header-checksum.png", png[:29] + b"\0\0\0\0" + png[33:], "decode-error"
    yield "half.webp", webp[: len(webp) // 2], "decode-error"
    yield (
        "riff-says-more.webp",
        webp[:4] + struct.pack("<I", len(webp) * 9) + webp[8:],
        "decode-error",
    )
    yield "half.gif", gif[: len(gif) // 2], "truncated"
    yield "half.bmp", bmp[: len(bmp) // 2], "truncated"
    yield "half.avif", avif[: len(avif) // 2], "decode-error"
    yield "half.tif", tiff[: len(tiff) // 2], "truncated"
    tags = {256: 64, 257: 64, 258: 8, 259: 8, 262: 1, 277: 1, 324: 8, 325: 64}
    worded = _tiff({**tags, 322: 0x36353433, 323: 64}).replace(b"\x42\1\4\0\1", b"\x42\1\2\0\4")
    yield "tile-width-in-words.tif", worded, "decode-error"
    yield "half-deflated.tif", deflated[: len(deflated) // 2], "decode-error"
    yield (
        "directory-past-the-end.tif",
        b"II*\0" + struct.pack("<I", 0x7FFFFFFF) + bytes(64),
        "decode-error",
    )
    yield (
        "not-a-number.tif",
        encode(Image.fromarray(np.full((32, 32), np.nan, np.float32)), "TIFF"),
        "decode-error",
    )


def _bombs() -> Iterator[File]:
    refused = "too-many-pixels"
    yield "bomb.png", _png(20_000, 20_000, 1, 0, bytes(2501 * 20_000)), refused
    yield "bomb-header.png", _png(2**31 - 1, 2**31 - 1, 8, 2, b""), refused
    yield (
        "bomb.gif",
        b"GIF89a"
        + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0)
        + b","
        + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0)
        + b"\2\0;",
        refused,
    )
    yield (
        "bomb-second-frame.gif",
        encode(picture(31), "GIF").removesuffix(b";")
        + b","
        + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0)
        + b"\2\0;",
        refused,
    )
    yield "bomb.webp", _with_webp_size(picture(29), 16_383, 16_383), refused
    yield (
        "bomb.bmp",
        b"BM"
        + struct.pack("<IHHI", 54, 0, 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, 50_000, 50_000, 1, 24, 0, 0, 0, 0, 0, 0),
        refused,
    )
    yield "bomb.jpg", _with_jpeg_size(encode(picture(13), "JPEG"), 65_000, 65_000), refused
    yield (
        "bomb.tif",
        _tiff({256: 100_000, 257: 100_000, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 279: 64}),
        refused,
    )
    yield (
        "bomb-tile.tif",
        _tiff(
            {
                256: 64,
                257: 64,
                258: 8,
                259: 8,
                262: 1,
                277: 1,
                322: 32_768,
                323: 32_768,
                324: 8,
                325: 64,
            }
        ),
        refused,
    )
    yield (
        "bomb-text.png",
        _png_with(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(8_000_000))),
        "decode-error",
    )
    yield (
        "bomb-profile.png",
        _png_with(b"iCCP", b"p\0\0" + zlib.compress(bytes(8_000_000))),
        "decode-error",
    )


def _odd_sizes() -> Iterator[File]:
    yield "1x1.png", encode(picture(14, 1, 1), "PNG"), "too-small"
    yield "1x5000.png", encode(picture(15, 1, 5000), "PNG"), "too-small"
    yield "5000x1.jpg", encode(picture(16, 5000, 1), "JPEG"), "too-small"
    yield "15x400.webp", encode(picture(17, 15, 400), "WEBP"), "too-small"
    yield "0x0.png", _png(0, 0, 8, 2, b""), "decode-error"
    yield "16x16.png", encode(picture(18, 16, 16), "PNG"), DECODED
    yield "16x4000.png", encode(picture(19, 16, 4000), "PNG"), DECODED


def _odd_modes() -> Iterator[File]:
    image = picture(20)
    ramp = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64) * 16
    yield "grey-16.png", encode(Image.fromarray(ramp), "PNG"), DECODED
    yield "grey-16.tif", encode(Image.fromarray(ramp), "TIFF"), DECODED
    yield (
        "colour-16.png",
        _png(64, 64, 16, 2, b"".join(b"\0" + row.tobytes() * 3 for row in ramp)),
        DECODED,
    )
    yield "integer-32.tif", encode(Image.fromarray(ramp.astype(np.int32)), "TIFF"), DECODED
    yield "float.tif", encode(Image.fromarray((ramp / 65535).astype(np.float32)), "TIFF"), DECODED
    yield "one-bit.png", encode(image.convert("1"), "PNG"), DECODED
    yield "fax.tif", encode(image.convert("1"), "TIFF", compression="group4"), DECODED
    yield "palette-transparent.png", encode(image.convert("P"), "PNG", transparency=3), DECODED
    yield "grey-alpha.png", encode(image.convert("LA"), "PNG"), DECODED
    yield "alpha.webp", encode(image.convert("RGBA"), "WEBP", lossless=True), DECODED
    yield "cmyk.jpg", encode(image.convert("CMYK"), "JPEG"), DECODED
    yield "cmyk.tif", encode(image.convert("CMYK"), "TIFF"), DECODED
    yield "ycbcr.tif", encode(image.convert("YCbCr"), "TIFF"), DECODED
    yield "lab.tif", encode(Image.merge("LAB", image.split()), "TIFF"), DECODED


def _odd_but_fine() -> Iterator[File]:
    pages = {"save_all": True, "append_images": [picture(21), picture(22)]}
    yield "animated.gif", encode(picture(23), "GIF", **pages), DECODED
    yield "animated.webp", encode(picture(23), "WEBP", **pages), DECODED
    yield "animated.png", encode(picture(23), "PNG", **pages), DECODED
    yield "pages.tif", encode(picture(23), "TIFF", **pages), DECODED
    yield "stereo.jpg", encode(picture(23), "MPO", **pages), DECODED
    yield "png-named.jpg", encode(picture(24), "PNG"), DECODED
    yield "jpeg-without-suffix", encode(picture(24), "JPEG"), DECODED
    photo = encode(picture(25), "JPEG", exif=_orientation(6))
    yield "turned.jpg", photo, DECODED
    start = photo.index(b"Exif\0\0") + 6
    yield "corrupt-exif.jpg", photo[:start] + b"\xff" * 16 + photo[start + 16 :], DECODED
    yield "orientation-99.jpg", encode(picture(25), "JPEG", exif=_orientation(99)), DECODED
    plain = encode(picture(26), "JPEG")
    yield "tail.jpg", plain + np.random.default_rng(2).bytes(5000), DECODED
    yield "zip-behind.jpg", plain + b"PK\x03\x04" + bytes(60) + b"PK\x05\x06" + bytes(18), DECODED
    yield "no-end-marker.jpg", plain[:-2], "truncated"
    yield "looping-directory.tif", _looping_tiff(), DECODED
    yield "naïve – 图像 .jpg", encode(picture(27), "JPEG"), DECODED


def _zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("a.jpg"), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _png(width: int, height: int, depth: int, colour: int, raw: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(raw)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in chunks)


def _png_with(name: bytes, body: bytes) -> bytes:
    whole = encode(picture(28), "PNG")
    return whole[:33] + _chunk(name, body) + whole[33:]


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _with_jpeg_size(photo: bytes, width: int, height: int) -> bytes:
    at = photo.index(b"\xff\xc0") + 5
    return photo[:at] + struct.pack(">HH", height, width) + photo[at + 4 :]


def _with_webp_size(image: Image.Image, width: int, height: int) -> bytes:
    lossless = bytearray(encode(image, "WEBP", lossless=True))
    flags = struct.unpack_from("<I", lossless, 21)[0] >> 28 << 28
    struct.pack_into("<I", lossless, 21, flags | (height - 1) << 14 | (width - 1))
    return bytes(lossless)


def _tiff(tags: dict[int, int], following: int = 0, pixels: bytes = bytes(64)) -> bytes:
    """A little-endian TIFF with one directory of LONG values; the pixels begin at byte 8."""
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, tags[tag]) for tag in sorted(tags))
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<I", following)
    return b"II*\0" + struct.pack("<I", 8 + len(pixels)) + pixels + directory


def _looping_tiff() -> bytes:
    pixels = np.random.default_rng(3).bytes(32 * 32)
    tags = {256: 32, 257: 32, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 32, 279: len(pixels)}
    return _tiff(tags, following=8 + len(pixels), pixels=pixels)


def _orientation(value: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = value
    return exif
