"""How large an image may be, and the reasons for which one is turned away."""

from dataclasses import dataclass

from indexer.errors import UsageError

PILLOW_PIXELS = 89_478_485
"""Pillow's own decompression-bomb threshold (`PIL.Image.MAX_IMAGE_PIXELS`): 256 MiB of RGB."""

REASONS = {
    "missing": "nothing exists at the path",
    "unreadable": "the path is a folder or a device, or may not be read",
    "empty": "zero bytes",
    "too-many-bytes": "more bytes than Limits.max_bytes",
    "not-an-image": "the bytes begin like no image format",
    "unsupported-format": "an image format that is not on the allow-list",
    "too-many-pixels": "more pixels than Limits.max_pixels, seen before any was decoded",
    "too-small": "the shorter side is under Limits.min_side",
    "truncated": "the file ends before its pixels do",
    "outside": "the region that is asked about lies outside the image",
    "decode-error": "the file contradicts its own format (damaged, forged or cut short)",
}
"""Every `ImageRejected.reason`, with its meaning. A codec that cannot tell a cut from other
damage (WebP, AVIF, compressed TIFF) yields "decode-error" for both."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is refused before it can cost memory.

    `max_bytes` of the file, `max_pixels` (width x height, at most `PILLOW_PIXELS`: above it
    Pillow itself refuses), `min_side` in pixels: the patch size of common ViTs, under which
    nothing is left to see. Raises UsageError on a limit that could not be kept.
    """

    max_bytes: int = 64 * 1024 * 1024
    max_pixels: int = PILLOW_PIXELS
    min_side: int = 16

    def __post_init__(self) -> None:
        if not 0 < self.max_pixels <= PILLOW_PIXELS:
            raise UsageError(
                f"max_pixels is {self.max_pixels:,}", expected=f"1 to {PILLOW_PIXELS:,}"
            )
        if self.max_bytes < 1 or self.min_side < 1:
            raise UsageError(
                f"max_bytes is {self.max_bytes}, min_side is {self.min_side}",
                expected="both at least 1",
            )
