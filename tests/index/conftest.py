"""Tiny indexes: a random ViT on disk, pictures drawn from a seed."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny import write_vit

from indexer.encoder import load_encoder
from indexer.index import Index, build_index
from indexer.sources import open_source

FAMILIES = ("waves", "blocks", "noise")


def draw(path: Path, seed: int, family: str) -> None:
    """A 96x80 picture of one of three unmistakable kinds."""
    rng = np.random.default_rng(seed)
    _, columns = np.mgrid[0:80, 0:96]
    if family == "waves":
        values = 127 + 120 * np.sin(columns / (2 + 3 * rng.random()) + rng.random())
    elif family == "blocks":
        values = np.kron(rng.integers(0, 256, (10, 12)), np.ones((8, 8)))
    else:
        values = rng.integers(0, 256, (80, 96)).astype(float)
    tint = rng.random(3)
    pixels = (values[..., None] * (0.5 + tint / 2)).clip(0, 255).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random ViT with labels real and fake."""
    directory = tmp_path_factory.mktemp("checkpoint") / "tiny"
    write_vit(directory)
    return directory


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """fake/<family>/<seed>.png and real/<seed>.png, 12 of each."""
    root = tmp_path_factory.mktemp("pictures")
    for offset, family in enumerate(FAMILIES):
        for seed in range(12):
            draw(root / "fake" / family / f"{seed}.png", 100 * offset + seed, family)
    for seed in range(12):
        draw(root / "real" / f"{seed}.png", 900 + seed, FAMILIES[seed % 3])
    return root


@pytest.fixture
def make_index(tmp_path: Path, checkpoint: Path) -> Callable[..., Index]:
    """Builds an index of folders (layout imagefolder unless told otherwise)."""

    def make(*folders: Path, name: str = "my.index", layout: str = "imagefolder") -> Index:
        index = Index.create(tmp_path / name, load_encoder(checkpoint))
        build_index(index, [open_source(folder, layout) for folder in folders])
        return index

    return make
