"""A gallery of many images whose patches are as hard to search as real ones.

Pictures, with and without planted regions, are encoded; every synthetic image has 32 of the 256
tokens of one of them, each moved by the difference of two others. docs/regions.md compares them
with real ones.
"""

import hashlib
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks._planting import gallery
from indexer.encoder import load_encoder
from indexer.images import decode
from indexer.images.geometry import view
from indexer.index import Index
from indexer.index.keeping import PatchPolicy, token_boxes
from indexer.patches import quantised
from indexer.store import NewImage
from indexer.types import Annotation, Float32, ImageFacts, Patches

REGIONS, COPIES, OTHERS, SEED = 24, 5, 280, 10
SPREAD: Final = 0.5
"""Length of a move relative to the distance between two tokens."""
SIZE: Final = 400
"""Every synthetic image has so many pixels across and down."""
BATCH: Final = 2_000


def open_gallery(path: Path, n: int) -> Index:
    """The index of n images, made if it is not there; about 25 KB an image."""
    if not path.is_dir():
        encoder, policy = load_encoder("demo"), PatchPolicy()
        pictures = gallery(REGIONS, COPIES, OTHERS, SEED)
        encoded = encoder.encode([decode(picture.data).rgb for picture in pictures])
        tokens = encoded.patches.reshape(len(encoded.patches), -1, encoded.patches.shape[-1])
        recipe = encoder.checkpoint.recipe
        patch = recipe.output_size[0] // encoder.grid[0]
        boxes = token_boxes(view(recipe, height=SIZE, width=SIZE, patch=patch))
        rng = np.random.default_rng(SEED)
        with Index.create(path, encoder, patches=policy) as index:
            for start in range(0, n, BATCH):
                numbers = range(start, min(start + BATCH, n))
                images = [
                    _image(index, number, _moved(tokens, boxes, number, rng), rng)
                    for number in numbers
                ]
                with index.store.commit("build", "benchmark") as txn:
                    txn.add(images)
            index.fit()
    return Index.open(path)


def shows(region: int, n: int) -> set[str]:
    """The sha256 of those of n images that are made of a picture with this region."""
    pictures = REGIONS * COPIES + OTHERS
    return {_digest(number) for number in range(n) if number % pictures // COPIES == region}


def _moved(tokens: Float32, boxes: Float32, number: int, rng: np.random.Generator) -> Patches:
    """Of one of the pictures' `tokens` (pictures, 256, dim) some, each moved a little."""
    picture = tokens[number % len(tokens)]
    chosen = np.sort(rng.choice(len(picture), 32, replace=False))
    one, other = tokens.reshape(-1, tokens.shape[2])[
        rng.integers(tokens.shape[0] * tokens.shape[1], size=(2, 32))
    ]
    return quantised(picture[chosen] + SPREAD / np.sqrt(2) * (one - other), boxes[chosen])


def _digest(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def _image(index: Index, number: int, kept: Patches, rng: np.random.Generator) -> NewImage:
    passport = index.store.passport
    return NewImage(
        facts=ImageFacts(_digest(number), 50_000, "JPEG", "RGB", SIZE, SIZE, 1, animated=False),
        uri=f"collection/{number}.jpg",
        annotation=Annotation(),
        metadata={},
        taps=rng.standard_normal((len(passport.taps), passport.dim)).astype(np.float16),
        patches=kept,
    )
