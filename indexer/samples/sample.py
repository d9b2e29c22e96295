"""One sample: a picture, perhaps manipulated, after the processing that fakes and reals share.

Training and held-out samples differ in their photographs and in their seeds: `split` is a
part of every seed, so that no drawn scene is ever in both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from indexer.samples.camera import photograph
from indexer.samples.codec import decode, encode_jpeg, encode_png
from indexer.samples.families import manipulate
from indexer.samples.pixels import Mask, resize, to_bytes
from indexer.samples.scenes import SCENES
from indexer.types import RGB, Float32

Split = Literal["training", "held-out"]
_STREAM: dict[Split, int] = {"training": 0, "held-out": 1}

SHORTER_EDGE = 256
"""Of every sample, in pixels: what the demo checkpoint resizes to, so nothing is resampled."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where pictures come from: a photograph, or a kind of drawn scene when there is none."""

    name: str
    picture: Float32 | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """`data` are the file's bytes ("jpg" or "png"), `mask` the touched pixels of its image."""

    data: bytes
    suffix: str
    mask: Mask

    @property
    def pixels(self) -> RGB:
        return decode(self.data)


def make_sample(
    sources: Sequence[Source], chosen: int, family: str | None, split: Split, seed: int
) -> Sample:
    """A sample of `sources[chosen]`, real when `family` is None; equal arguments, equal bytes.

    The donor of a splice or a tone transfer comes from another source.
    """
    rng = np.random.default_rng((_STREAM[split], seed))
    shape = _shape(rng)
    picture = _take(sources[chosen], shape, rng)
    if family is None:
        mask = np.zeros(shape, np.bool_)
    else:
        others = [source for index, source in enumerate(sources) if index != chosen]
        other = others[int(rng.integers(len(others)))]
        picture, mask = manipulate(family, picture, lambda: _take(other, shape, rng), rng)
    return _benign(picture, mask, rng)


def _shape(rng: np.random.Generator) -> tuple[int, int]:
    """Shorter edge 256, 288 or 320, aspect ratio 1, 9:8 or 5:4."""
    shorter = int(rng.choice((256, 288, 320)))
    longer = shorter + shorter * int(rng.integers(3)) // 8
    return (shorter, longer) if rng.random() < 0.6 else (longer, shorter)


def _take(source: Source, shape: tuple[int, int], rng: np.random.Generator) -> Float32:
    """A picture of this shape: a random crop at a random scale, or a scene drawn anew."""
    if source.picture is None:
        return photograph(np.clip(SCENES[source.name](shape, rng), 0, 1), rng)
    available = source.picture.shape[:2]
    smallest = max(want / have for want, have in zip(shape, available, strict=True))
    scale = np.exp(rng.uniform(np.log(smallest), max(0.0, np.log(smallest))))
    window = [min(have, round(want / scale)) for want, have in zip(shape, available, strict=True)]
    top, left = (
        int(rng.integers(have - size + 1)) for have, size in zip(available, window, strict=True)
    )
    crop = source.picture[top : top + window[0], left : left + window[1]]
    mirrored = crop[:, ::-1] if rng.random() < 0.5 else crop
    return np.clip(resize(mirrored, shape, "cubic"), 0, 1)


def _benign(picture: Float32, mask: Mask, rng: np.random.Generator) -> Sample:
    """What any honest file may have gone through: crop or downscale to 256, JPEG 70 to 95.

    One file in five is a PNG.
    """
    if rng.random() < 0.5:
        factor = SHORTER_EDGE / min(mask.shape)
        shape = (round(mask.shape[0] * factor), round(mask.shape[1] * factor))
        picture = resize(picture, shape, "cubic")
        mask = resize(mask.astype(np.float32), shape, "linear") > 0.5
    else:
        height, width = (min(side, round(SHORTER_EDGE * 1.25)) for side in mask.shape)
        if mask.shape[0] <= mask.shape[1]:
            height = SHORTER_EDGE
        else:
            width = SHORTER_EDGE
        top = int(rng.integers(mask.shape[0] - height + 1))
        left = int(rng.integers(mask.shape[1] - width + 1))
        crop = np.s_[top : top + height, left : left + width]
        picture, mask = picture[crop], mask[crop]
    pixels = to_bytes(picture)
    quality = int(rng.integers(70, 96))
    if rng.random() < 0.2:
        return Sample(encode_png(pixels), "png", mask)
    return Sample(encode_jpeg(pixels, quality), "jpg", mask)
