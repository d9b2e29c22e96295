"""Search by region: planted regions are found where they were planted."""

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny import write_clip, write_dinov2, write_timm

from benchmarks._planting import gallery, originals
from benchmarks.regions import iou
from indexer.encoder import load_encoder
from indexer.errors import ImageRejected, NotFound, UsageError
from indexer.filters import parse_filter
from indexer.images import sha256
from indexer.images.geometry import Box
from indexer.images.region import Region
from indexer.images.windows import preprocess_window
from indexer.index import (
    Index,
    RegionAnswer,
    build_index,
    region_bytes,
    region_stored,
    search_region,
)
from indexer.index.inspect import info, verify
from indexer.index.keeping import PatchPolicy
from indexer.patches import restored
from indexer.sources import open_source

Make = Callable[..., Index]
REGIONS, COPIES, WITHOUT = 3, 3, 6


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """<region>-<number>.jpg shows a region; none-<number>.jpg shows none."""
    root = tmp_path_factory.mktemp("planted")
    for number, image in enumerate(gallery(REGIONS, COPIES, WITHOUT, seed=5)):
        name = "none" if image.region is None else str(image.region)
        (root / f"{name}-{number}.jpg").write_bytes(image.data)
    return root


@pytest.fixture(scope="session")
def index(planted: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """The planted images with the bundled checkpoint. Tests must not write to it."""
    folder = tmp_path_factory.mktemp("index") / "regions.index"
    with Index.create(folder, load_encoder("demo")) as index:
        build_index(index, [open_source(planted)])
        yield index


@pytest.fixture
def make(tmp_path: Path, checkpoint: Path) -> Make:
    """Builds an index with a random model and the policy given."""

    def made(folder: Path, name: str = "regions.index", **policy: object) -> Index:
        index = Index.create(
            tmp_path / name, load_encoder(checkpoint), patches=PatchPolicy(**policy)
        )
        build_index(index, [open_source(folder)])
        return index

    return made


def names(answer: RegionAnswer) -> list[str]:
    return [Path(hit.uri).name.split("-")[0] for hit in answer.hits]


def test_planted_regions_are_found_where_they_are(index: Index) -> None:
    truth = {sha256(image.data): image for image in gallery(REGIONS, COPIES, 0, seed=5)}
    found, located = 0, 0
    for region, original in enumerate(originals(REGIONS, seed=5)):
        query = region_bytes(index, original.data, Region.of(original.box))
        answer = search_region(index, query, 5)
        agreements = [hit.agreement for hit in answer.hits]
        assert agreements == sorted(agreements, reverse=True)
        assert search_region(index, query, 5) == answer
        for hit in answer.hits:
            if hit.sha256 in truth and truth[hit.sha256].region == region:
                found += 1
                located += iou(hit.region.box(1000, 1000), truth[hit.sha256].box) >= 0.5
    assert found >= 8
    assert located >= 7


def test_a_stored_region_never_finds_its_own_image(index: Index) -> None:
    box = next(image.box for image in gallery(REGIONS, COPIES, 0, seed=5))
    stored = digest(index, "0-0.jpg")
    answer = search_region(index, region_stored(index, stored, Region.of(box)), 99)
    assert stored not in {hit.sha256 for hit in answer.hits}
    assert len(answer.hits) == REGIONS * COPIES + WITHOUT - 1
    assert names(answer)[: COPIES - 1] == ["0"] * (COPIES - 1)


def digest(index: Index, name: str) -> str:
    images = index.store.images(index.store.ids())
    return next(image.sha256 for image in images if image.uris[0].endswith(name))


def test_what_is_kept_is_what_the_policy_says(planted: Path, make: Make, tmp_path: Path) -> None:
    few = make(planted, name="few.index", count=5)
    kept = few.store.patches(few.store.ids())
    assert [len(patches.codes) for patches in kept.values()] == [5] * len(few.store.ids())
    assert info(few)["patches"] == {"count": 5, "tiles": False}
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    (tmp_path / "one").mkdir()
    Image.fromarray(pixels).save(tmp_path / "one" / "square.png")
    square = tmp_path / "one"
    everything = make(square, name="all.index", count=None)
    [patches] = everything.store.patches([1]).values()
    tokens = everything.encoder.encode([pixels]).patches[0].reshape(16, -1)
    np.testing.assert_allclose(restored(patches), tokens, atol=np.abs(tokens).max() / 200)
    # 64 -> 40, the middle 32: patches of 8 cover 12.8 pixels each, from 6.4 on.
    np.testing.assert_allclose(patches.boxes[0], (6.4, 6.4, 19.2, 19.2), atol=1e-4)
    np.testing.assert_allclose(patches.boxes[-1], (44.8, 44.8, 57.6, 57.6), atol=1e-4)
    tiled = make(square, name="tiled.index", count=None, tiles=True)
    [patches] = tiled.store.patches([1]).values()
    # The same view, then four tiles of 32 pixels, which fill the input as they are.
    assert len(patches.codes) == 5 * 16
    np.testing.assert_allclose(patches.boxes[16], (0, 0, 8, 8), atol=1e-4)
    np.testing.assert_allclose(patches.boxes[-1], (56, 56, 64, 64), atol=1e-4)
    expected = tiled.encoder.encode_patches(
        [preprocess_window(pixels, Box(32, 32, 64, 64), tiled.encoder.checkpoint.recipe)]
    )
    corner = expected[0].reshape(16, -1)
    np.testing.assert_allclose(restored(patches)[-16:], corner, atol=np.abs(corner).max() / 200)


def test_generations_filters_and_new_images(index: Index, planted: Path, tmp_path: Path) -> None:
    shutil.copytree(index.path, tmp_path / "copy.index")
    original = originals(REGIONS, seed=5)[0]
    with Index.open(tmp_path / "copy.index") as copy:
        copy.use(index.encoder)
        query = region_bytes(copy, original.data, Region.of(original.box))
        before = search_region(copy, query, 3)
        (tmp_path / "original.jpg").write_bytes(original.data)
        build_index(copy, [open_source(tmp_path / "original.jpg")])
        assert query.sha256 in {hit.sha256 for hit in search_region(copy, query, 99).hits}
        with copy.store.commit("remove", "test") as txn:
            txn.remove([before.hits[0].sha256])
        every = search_region(copy, query, 99).hits
        assert before.hits[0].sha256 not in {hit.sha256 for hit in every}
        assert search_region(copy, query, 3, generation=before.generation) == before
        kept = parse_filter("height > 300")
        tall = search_region(copy, query, 99, where=kept).hits
        ids = copy.store.ids(kept)
        assert {hit.sha256 for hit in tall} == {i.sha256 for i in copy.store.images(ids)}
        assert [hit for hit in every if hit in tall] == tall


def test_a_damaged_set_is_named_and_never_answers(index: Index, tmp_path: Path) -> None:
    original = originals(1, seed=5)[0]
    query = region_bytes(index, original.data, Region.of(original.box))
    before = search_region(index, query)
    shutil.copytree(index.path, tmp_path / "copy.index")
    path = next((tmp_path / "copy.index/derived/patches").rglob("vectors.npy"))
    data = bytearray(path.read_bytes())
    data[-3] ^= 8
    path.write_bytes(data)
    with Index.open(tmp_path / "copy.index") as copy:
        assert "vectors.npy" in verify(copy)["problems"][0]["what"]
        assert search_region(copy, query) == before
        assert verify(copy)["ok"]


@pytest.mark.parametrize(
    ("write", "layer"),
    [
        (write_clip, 4),
        (write_timm, 4),
        (partial(write_dinov2, num_hidden_layers=2), 2),
        (partial(write_dinov2, num_hidden_layers=1), 1),
        (partial(write_dinov2, num_hidden_layers=9), 4),
    ],
    ids=["clip", "timm", "two layers", "one layer", "nine layers"],
)
def test_any_tower_serves(write: Callable[[Path], object], layer: int, tmp_path: Path) -> None:
    """Attention is never read: a region of a picture is found in a copy of it, where it is."""
    write(tmp_path / "checkpoint")
    rng = np.random.default_rng(0)
    (tmp_path / "noise").mkdir()
    for number in range(6):
        pixels = rng.integers(0, 256, (64, 64, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / "noise" / f"{number}.png")
    Image.fromarray(pixels).save(tmp_path / "noise" / "copy.bmp")
    digests = [sha256((tmp_path / "noise" / name).read_bytes()) for name in ("5.png", "copy.bmp")]
    encoder = load_encoder(tmp_path / "checkpoint", engine="torch", precision="fp32")
    assert encoder.passport.patch_layer == layer
    with Index.create(tmp_path / "tower.index", encoder) as index:
        build_index(index, [open_source(tmp_path / "noise")])
        region = Region(16, 16, 32, 32)
        best = search_region(index, region_stored(index, digests[0], region)).hits[0]
        assert best.sha256 == digests[1]
        assert iou(best.region.box(64, 64), Box(16, 16, 48, 48)) >= 0.8
        query = region_bytes(index, (tmp_path / "noise" / "5.png").read_bytes(), region)
        assert len(search_region(index, query).hits) == 7


def test_what_cannot_be_asked_is_refused(planted: Path, make: Make) -> None:
    few = make(planted, count=1)
    data = next(planted.iterdir()).read_bytes()
    anything = region_bytes(few, data, Region(0.4, 0.4, 0.2, 0.2))
    with pytest.raises(ImageRejected, match="covers a pixel of the image of"):
        region_bytes(few, data, Region(4000, 0, 10, 10))
    with pytest.raises(UsageError, match="none of the 1 patches"):
        region_stored(few, digest(few, "0-0.jpg"), Region(0, 0, 2, 2))
    with pytest.raises(NotFound, match="generation 99"):
        search_region(few, anything, generation=99)
    with pytest.raises(UsageError, match="k is 0"):
        search_region(few, anything, 0)
    bare = make(planted, name="bare.index", count=0)
    assert bare.store.patches(bare.store.ids()) == {}
    with pytest.raises(UsageError, match="keeps no patches"):
        search_region(bare, anything)
    with pytest.raises(UsageError, match="tiles without patches"):
        PatchPolicy(0, tiles=True)


def test_the_search_by_index_is_the_search_of_everything(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = originals(2, seed=5)[1]
    query = region_bytes(index, original.data, Region.of(original.box))
    whole = search_region(index, query, 3)
    monkeypatch.setattr("indexer.index.patch_gallery.EXACT_IMAGES", 2)
    assert search_region(index, query, 3) == whole
    assert search_region(index, query, 3, where=parse_filter("width > 0")) == whole
