"""What an analyst says counts in the next search, for all images or none."""

from pathlib import Path

import pytest
from hostile import encode, picture
from tiny import write_vit

from indexer.encoder import load_encoder
from indexer.errors import NotFound, UsageError
from indexer.index import Index, build_index
from indexer.index.labelling import label_images
from indexer.sources import open_source


def test_labels_outrank_imports_for_all_images_or_none(tmp_path: Path) -> None:
    for seed, name in enumerate(("real/a", "fake/blend/b", "fake/blend/c")):
        path = tmp_path / "gallery" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(picture(seed), "PNG"))
    write_vit(tmp_path / "checkpoint")
    gallery = open_source(tmp_path / "gallery", "imagefolder")
    with Index.create(tmp_path / "my.index", load_encoder(tmp_path / "checkpoint")) as index:
        build_index(index, [gallery])
        ids = [image.sha256 for image in index.store.images(index.store.ids())]

        def said(generation: int | None = None) -> list[tuple[str | None, str | None]]:
            images = [index.store.image(sha256, generation) for sha256 in ids]
            return [(image.annotation.label, image.annotation.family) for image in images]

        imported, before = said(), index.store.generation
        with pytest.raises(NotFound):
            label_images(index, [*ids, "0" * 64], "fake", "warp", "test")
        with pytest.raises(UsageError, match="real images of a family"):
            label_images(index, ids, "real", "warp", "test")
        assert (said(), index.store.generation) == (imported, before)

        assert label_images(index, ids, "fake", "warp", "test") == before + 1
        build_index(index, [gallery])
        assert said() == [("fake", "warp")] * 3
        assert said(before) == imported
        assert label_images(index, ids[:1], "real", None, "test") == before + 2
        assert [label for label, _ in said()] == ["real", "fake", "fake"]
