"""Valid files of every format, and seeded damage to them."""

import numpy as np
from hostile import encode, picture
from PIL import Image


def seeds() -> list[bytes]:
    image, second = picture(1, 48, 48), [picture(2, 48, 48)]
    exif = Image.Exif()
    exif[0x0112] = 6
    return [
        encode(image, "JPEG", exif=exif),
        encode(image.convert("CMYK"), "JPEG", progressive=True),
        encode(image, "PNG", exif=exif),
        encode(image.convert("P"), "PNG", transparency=3),
        encode(image, "WEBP", save_all=True, append_images=second),
        encode(image, "TIFF", exif=exif),
        encode(image, "TIFF", compression="tiff_lzw"),
        encode(image, "GIF", save_all=True, append_images=second),
        encode(image, "BMP"),
        encode(image, "AVIF", exif=exif),
    ]


def mutant(data: bytes, rng: np.random.Generator) -> bytes:
    """One to four edits, half of them within the first 200 bytes, where the headers are."""
    changed = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        if not changed:
            break
        end = len(changed) if rng.random() < 0.5 else min(len(changed), 200)
        at = int(rng.integers(end))
        match rng.integers(5):
            case 0:
                changed[at] ^= 1 << int(rng.integers(8))
            case 1:
                changed[at : at + 4] = (b"\xff\xff\xff\xff", bytes(4))[rng.integers(2)]
            case 2:
                del changed[at : at + int(rng.integers(1, 30))]
            case 3:
                changed[at:at] = rng.bytes(int(rng.integers(1, 30)))
            case 4:
                del changed[at + 1 :]
    return bytes(changed)
