"""A real index of synthetic images: a truth file with taps, its fit and what is derived."""

import hashlib
from pathlib import Path

import numpy as np

from indexer.encoder import load_encoder
from indexer.index import Index
from indexer.store import NewImage
from indexer.types import Annotation, Float16, ImageFacts
from tests.tiny import write_vit

FAMILIES, SOURCES = 40, 25
BATCH = 2_000


def open_gallery(folder: Path, n: int) -> Index:
    """The index of n images in `folder`, made if it is not there; about 4 KB an image."""
    path = folder / f"{n}.index"
    if not (path / "derived").is_dir():
        write_vit(folder / "checkpoint")
        with Index.create(path, load_encoder(folder / "checkpoint")) as index:
            for start in range(0, n, BATCH):
                add(index, range(start, min(start + BATCH, n)))
            index.fit()
    return Index.open(path)


def add(index: Index, numbers: range) -> None:
    """Commit the images with these numbers."""
    with index.store.commit("build", "benchmark") as txn:
        txn.add([_image(index, number) for number in numbers])


def digest(number: int) -> str:
    """The sha256 of the image with this number."""
    return hashlib.sha256(str(number).encode()).hexdigest()


def _image(index: Index, number: int) -> NewImage:
    family, fake = number % FAMILIES, number % 3 > 0
    return NewImage(
        facts=ImageFacts(digest(number), 50_000, "JPEG", "RGB", 640, 480, 1, animated=False),
        uri=f"collection/{family}/{number}.jpg",
        annotation=Annotation(
            "fake" if fake else "real",
            f"family-{family}" if fake else None,
            f"source-{number % SOURCES}",
        ),
        metadata={"case": str(number % 1000)},
        taps=_taps(index, number, family if fake else FAMILIES),
        score=(number % 97) / 97,
    )


def _taps(index: Index, number: int, group: int) -> Float16:
    shape = (len(index.store.passport.taps), index.store.passport.dim)
    centre = np.random.default_rng(group).standard_normal(shape, np.float32)
    own = np.random.default_rng(1_000 + number).standard_normal(shape, np.float32)
    return (0.3 * centre + own).astype(np.float16)
