"""What a file is by its first bytes, to say why it was turned away.

Only consulted for bytes that no allowed decoder accepts; decoding never depends on it.
"""

import re

_ALLOWED = (
    (rb"\xff\xd8\xff", "JPEG"),
    (rb"\x89PNG\r\n\x1a\n", "PNG"),
    (rb"RIFF....WEBP", "WebP"),
    (rb"II[*+]\0|MM\0[*+]", "TIFF"),
    (rb"GIF8[79]a", "GIF"),
    (rb"BM", "BMP"),
    (rb"....ftypavi[fs]", "AVIF"),
)
_UNSUPPORTED = (
    (rb"....ftyp(?:hei[cmsx]|hev[cmsx]|mif1|msf1)", "HEIF"),
    (rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51", "JPEG 2000"),
    (rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (rb"8BPS", "Photoshop"),
    (rb"\0\0[\1\2]\0[\1-\xff]\0", "ICO"),
    (rb"SIMPLE  =", "FITS"),
    (rb"%!PS|\xc5\xd0\xd3\xc6", "EPS"),
    (rb"\s*#define [^\n]*_width ", "XBM"),
    (rb"/\* XPM \*/", "XPM"),
    (rb"P[1-6]\s", "Netpbm"),
    (rb"qoif", "QOI"),
    (rb"DDS ", "DDS"),
    (rb"\x76\x2f\x31\x01", "OpenEXR"),
    (
        rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml.{0,500}|<!--.{0,500}|<!DOCTYPE svg.{0,300})?<svg[\s>]",
        "SVG",
    ),
)


def allowed_format(data: bytes) -> str | None:
    """The allow-listed format whose signature the bytes carry, if any."""
    return _first_match(_ALLOWED, data)


def unsupported_format(data: bytes) -> str | None:
    """The image format, known but not on the allow-list, whose signature the bytes carry."""
    return _first_match(_UNSUPPORTED, data)


def _first_match(table: tuple[tuple[bytes, str], ...], data: bytes) -> str | None:
    return next((name for head, name in table if re.match(head, data[:1024], re.DOTALL)), None)
