"""A real index of synthetic images: a truth file with taps, its fit and what is derived."""

import hashlib
from pathlib import Path

import numpy as np

from benchmarks._descriptors import draw
from indexer.encoder import load_encoder
from indexer.index import Index
from indexer.store import NewImage
from indexer.types import Annotation, Float16, Float32, ImageFacts, Int64
from tests.tiny import write_vit

FAMILIES, SOURCES = 40, 25
BATCH = 2_000
NOISE = 0.02


def open_gallery(folder: Path, n: int) -> Index:
    """The index of n images in `folder`, made if it is not there; about 4 KB an image."""
    path = folder / f"{n}.index"
    if not (path / "derived").is_dir():
        write_vit(folder / "checkpoint")
        with Index.create(path, load_encoder(folder / "checkpoint")) as index:
            rows, families = draw(n, FAMILIES, seed=0)
            for start in range(0, n, BATCH):
                part = slice(start, start + BATCH)
                add(index, start, rows[part], families[part])
            index.fit()
    return Index.open(path)


def add(index: Index, first: int, rows: Float32, families: Int64) -> None:
    """Commit images numbered from `first`, whose taps hold these descriptors."""
    images = [
        _image(first + offset, int(families[offset]), taps)
        for offset, taps in enumerate(_taps(index, first, rows))
    ]
    with index.store.commit("build", "benchmark") as txn:
        txn.add(images)


def digest(number: int) -> str:
    """The sha256 of the image with this number."""
    return hashlib.sha256(str(number).encode()).hexdigest()


def _image(number: int, family: int, taps: Float16) -> NewImage:
    fake = family % 3 > 0
    return NewImage(
        facts=ImageFacts(digest(number), 50_000, "JPEG", "RGB", 640, 480, 1, animated=False),
        uri=f"collection/{family}/{number}.jpg",
        annotation=Annotation(
            "fake" if fake else "real",
            f"family-{family}" if fake else None,
            f"source-{number % SOURCES}",
        ),
        metadata={"case": str(number % 1000)},
        taps=taps,
        score=(number % 97) / 97,
    )


def _taps(index: Index, first: int, rows: Float32) -> Float16:
    passport = index.store.passport
    shape = (len(passport.taps), passport.dim)
    spread = np.random.default_rng(0).standard_normal((rows.shape[1], shape[0] * shape[1]))
    noise = np.random.default_rng(1 + first).standard_normal((len(rows), spread.shape[1]))
    return (rows @ spread + NOISE * noise).astype(np.float16).reshape(-1, *shape)
