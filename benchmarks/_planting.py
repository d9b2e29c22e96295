"""Planted regions: one region of a picture pasted into many unrelated images.

Regions come from five photographs and from scenes drawn for the purpose, hosts from five other
photographs and from other scenes, so nothing but the pasted pixels links two images.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from indexer.images.geometry import Box
from indexer.samples.camera import photograph
from indexer.samples.codec import encode_jpeg
from indexer.samples.photographs import load
from indexer.samples.pixels import resize, to_bytes
from indexer.samples.scenes import SCENES
from indexer.types import Float32

GUESTS: Final = (
    "skimage/astronaut.png",
    "skimage/chelsea.png",
    "skimage/coffee.png",
    "sklearn/china.jpg",
    "sklearn/flower.jpg",
)
HOSTS: Final = (
    "skimage/rocket.jpg",
    "skimage/camera.png",
    "skimage/brick.png",
    "skimage/grass.png",
    "skimage/gravel.png",
)
SCALES: Final = (0.7, 1.4)
"""A copy's edge relative to the original's, both in images scaled to one shorter edge."""
SHARE: Final = (0.3, 0.4)
"""Longer edge of a region, as a share of the shorter edge of its picture."""
CROP: Final = 0.875
"""The share of the shorter edge that the checkpoints' centre crop keeps (224 of 256)."""
MARGIN: Final = 0.02

Where = Literal["crop", "anywhere"]


@dataclass(frozen=True, slots=True)
class Planted:
    """JPEG `data` with the region number `region` at `box` (pixels); None in a distractor."""

    data: bytes
    region: int | None
    box: Box | None


def originals(count: int, seed: int) -> list[Planted]:
    """One picture for each region, with the region where it comes from."""
    return [_file(*_original(number, seed), number) for number in range(count)]


def gallery(
    regions: int, copies: int, distractors: int, seed: int, where: Where = "crop"
) -> Iterator[Planted]:
    """`copies` hosts of each region, then hosts without one.

    `where`: copies lie within the centre crop, or "anywhere" in pictures of up to 2:1.
    """
    hosts = np.random.default_rng((seed, 1))
    for number in range(regions):
        picture, box = _original(number, seed)
        left, top, right, bottom = map(int, box)
        guest, edge = picture[top:bottom, left:right], min(picture.shape[:2])
        for _ in range(copies):
            yield _file(*_paste(_host(hosts, where), guest, edge, hosts, where), number)
    for _ in range(distractors):
        yield _file(_host(hosts, where), None, None)


def _original(number: int, seed: int) -> tuple[Float32, Box]:
    """Every other region is drawn. No two of one photograph overlap by more than a third."""
    rng = np.random.default_rng((seed, 0, number))
    drawn = number % 2 == 1
    photo = GUESTS[number // 2 % len(GUESTS)]
    picture = _scene(rng, (288, 320)) if drawn else load(photo)
    height, width = picture.shape[:2]
    side = min(height, width)
    longer = rng.uniform(*SHARE) * side
    aspect = rng.uniform(0.7, 1.0)
    size = (longer, longer * aspect) if rng.random() < 0.5 else (longer * aspect, longer)
    rows, columns = (round(edge) for edge in size)
    # Photographs give several regions: each from its own third of the crop.
    third = number // (2 * len(GUESTS)) % 3 if not drawn else int(rng.integers(3))
    inner = side * (CROP - 2 * MARGIN)
    top = (height - inner) / 2 + rng.uniform(0, inner - rows)
    left = (width - inner) / 2 + (inner - columns) * (third + rng.random() * 0.5) / 2.5
    return picture, Box(round(left), round(top), round(left) + columns, round(top) + rows)


def _paste(
    host: Float32, guest: Float32, guest_edge: int, rng: np.random.Generator, where: Where
) -> tuple[Float32, Box]:
    height, width = host.shape[:2]
    side = min(height, width)
    scale = float(np.exp(rng.uniform(*np.log(SCALES)))) * side / guest_edge
    shape = (round(guest.shape[0] * scale), round(guest.shape[1] * scale))
    room = (height, width) if where == "anywhere" else (side * (CROP - MARGIN),) * 2
    top, left = (
        round((edge - free) / 2 + rng.uniform(0, free - own))
        for edge, free, own in zip((height, width), room, shape, strict=True)
    )
    picture = host.copy()
    picture[top : top + shape[0], left : left + shape[1]] = np.clip(resize(guest, shape), 0, 1)
    return picture, Box(left, top, left + shape[1], top + shape[0])


def _host(rng: np.random.Generator, where: Where) -> Float32:
    """A crop of a photograph or a drawn scene, shorter edge 256 to 400."""
    shorter = int(rng.integers(256, 401))
    longest = 2.0 if where == "anywhere" else 1.33
    shape = (shorter, round(shorter * rng.uniform(1, longest)))
    if rng.random() < 0.5:
        shape = shape[::-1]
    if rng.random() < 0.5:
        return _scene(rng, shape)
    source = load(HOSTS[int(rng.integers(len(HOSTS)))])
    fit = min(have / want for want, have in zip(shape, source.shape[:2], strict=True))
    zoom = rng.uniform(0.5 * fit, fit)
    window = [int(want * zoom) for want in shape]
    top, left = (
        int(rng.integers(have - size + 1))
        for have, size in zip(source.shape[:2], window, strict=True)
    )
    crop = source[top : top + window[0], left : left + window[1]]
    return np.clip(resize(crop[:, ::-1] if rng.random() < 0.5 else crop, shape), 0, 1)


def _scene(rng: np.random.Generator, shape: tuple[int, int]) -> Float32:
    draw = SCENES[sorted(SCENES)[int(rng.integers(len(SCENES)))]]
    return photograph(np.clip(draw(shape, rng), 0, 1), rng)


def _file(picture: Float32, box: Box | None, region: int | None) -> Planted:
    rng = np.random.default_rng(int(picture.sum()))
    return Planted(encode_jpeg(to_bytes(picture), int(rng.integers(70, 96))), region, box)
