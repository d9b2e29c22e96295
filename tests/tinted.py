"""A gallery whose families show: every folder's pictures have a tint of their own."""

from pathlib import Path

import numpy as np
from hostile import encode, picture
from PIL import Image

TINTS = {"fake/blend": (1.0, 0.3, 0.3), "fake/swap": (0.3, 1.0, 0.3), "real": (1.0, 1.0, 1.0)}
"""What every image of a folder is multiplied by, so that even a random tower tells them apart."""
MEMBERS = {"fake/blend": 12, "fake/swap": 12, "real": 30}


def tinted(folder: str, seed: int) -> bytes:
    """The bytes of an image such as those of `folder` are; equal arguments, equal bytes."""
    pixels = np.asarray(picture(seed, 96, 72)) * np.array(TINTS[folder])
    return encode(Image.fromarray(pixels.astype(np.uint8)), "PNG")


def write_gallery(root: Path) -> None:
    """`root`/<folder>/<number>.png, as many of each as `MEMBERS` says."""
    for number, (folder, members) in enumerate(MEMBERS.items()):
        (root / folder).mkdir(parents=True)
        for seed in range(members):
            (root / folder / f"{seed:02}.png").write_bytes(tinted(folder, 1000 * number + seed))
