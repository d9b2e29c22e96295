"""Training images with a mask of the touched pixels, made once and kept on disk."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from indexer.samples import photographs
from indexer.samples.codec import decode
from indexer.samples.families import FAMILIES
from indexer.samples.pixels import Mask, resize, to_picture
from indexer.samples.sample import Source, make_sample
from indexer.samples.scenes import SCENES
from indexer.types import RGB

CLASSES: tuple[str | None, ...] = (None, *FAMILIES)
"""Class 0 is real."""

WALLPAPERS = (
    "Picture_0B_by_freespace.jpg",
    "Picture_1A_by_freespace.jpg",
    "Wine_by_Jakkub_Mede.jpg",
    "aitzgorri_by_Aitzol_Berasategi.jpg",
    "friends_by_Aitzol_Berasategi.jpg",
    "life_by_Aitzol_Berasategi.jpg",
    "picosdeeuropa_by_Aitzol_Berasategi.jpg",
    "seeding_by_Clements_Engelhardt.jpg",
    "sunset_by_Aitzol_Berasategi.jpg",
)
"""The CC BY 4.0 and CC0 photographs of Debian's package lomiri-wallpapers-16.04."""

_LONGER_EDGE = 1200


@dataclass(frozen=True, slots=True)
class TrainingImage:
    """`pixels` RGB, `mask` its touched pixels, `family` an index into `CLASSES`."""

    pixels: RGB
    mask: Mask
    family: int


@cache
def training_sources(wallpapers: Path) -> tuple[Source, ...]:
    """Photographs of the training split and every kind of drawn scene."""
    sources = [Source(name, photographs.load(name)) for name in photographs.TRAINING]
    for name in WALLPAPERS:
        picture = to_picture(decode(wallpapers / name))
        factor = _LONGER_EDGE / max(picture.shape)
        shape = (round(picture.shape[0] * factor), round(picture.shape[1] * factor))
        sources.append(Source(name, resize(picture, shape)))
    return (*sources, *(Source(name) for name in SCENES))


def _write(wallpapers: Path, directory: Path, seed: int) -> None:
    """Image number `seed`; a third are real, the families take turns in the rest."""
    sources = training_sources(wallpapers)
    rng = np.random.default_rng(seed)
    family = 0 if seed % 3 == 0 else 1 + int(rng.integers(len(CLASSES) - 1))
    chosen = int(rng.integers(len(sources)))
    sample = make_sample(sources, chosen, CLASSES[family], "training", seed)
    partial = directory / f"{seed:06d}.part.npz"
    np.savez(partial, pixels=sample.pixels, mask=sample.mask, family=family)
    partial.rename(directory / f"{seed:06d}.npz")


def generate(wallpapers: Path, directory: Path, count: int) -> None:
    """Write the first `count` training images that `directory` lacks, in one spawned process."""
    directory.mkdir(parents=True, exist_ok=True)
    missing = [seed for seed in range(count) if not (directory / f"{seed:06d}.npz").exists()]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        for future in [pool.submit(_write, wallpapers, directory, seed) for seed in missing]:
            future.result()


def load(file: Path) -> TrainingImage:
    """Read one image that `generate` wrote."""
    with np.load(file) as arrays:
        return TrainingImage(arrays["pixels"], arrays["mask"], int(arrays["family"]))
