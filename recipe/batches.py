"""Random crops of the training images with their dense targets."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recipe.data import TrainingImage

PATCH = 14
IGNORED = -100
"""Target of what is neither clearly touched nor clearly untouched (torch's default)."""

_MEAN = np.array((0.485, 0.456, 0.406), np.float32)
_STD = np.array((0.229, 0.224, 0.225), np.float32)


@dataclass(frozen=True, slots=True)
class Batch:
    """`pixels` (n, 3, side, side) normalised; `family` (n,) and `patches` (n, grid * grid)
    are classes of `recipe.data.CLASSES`, 0 where nothing was touched.
    """

    pixels: Tensor
    family: Tensor
    patches: Tensor


def draw(images: Sequence[TrainingImage], side: int, count: int, rng: np.random.Generator) -> Batch:
    """`count` crops of side x side pixels at native resolution, half of them mirrored.

    A patch belongs to the family when a quarter of its pixels were touched, a crop when a
    twentieth of its patches were.
    """
    pixels, patches = [], []
    for index in rng.integers(len(images), size=count):
        image = images[index]
        top = int(rng.integers(image.mask.shape[0] - side + 1))
        left = int(rng.integers(image.mask.shape[1] - side + 1))
        window = np.s_[top : top + side, left : left + side]
        crop, mask = image.pixels[window], image.mask[window]
        if rng.random() < 0.5:
            crop, mask = crop[:, ::-1], mask[:, ::-1]
        share = mask.reshape(side // PATCH, PATCH, side // PATCH, PATCH).mean((1, 3)).ravel()
        patches.append(np.where(share >= 0.25, image.family, np.where(share > 0, IGNORED, 0)))
        pixels.append((crop / np.float32(255) - _MEAN) / _STD)
    targets = np.stack(patches)
    touched = (targets > 0).mean(1)
    family = np.where(touched >= 0.05, targets.max(1), np.where(touched > 0, IGNORED, 0))
    return Batch(
        torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).contiguous(),
        torch.from_numpy(family).long(),
        torch.from_numpy(targets).long(),
    )
