"""Maps of real images with tiny models: what they say, whether that is right, and the command."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import tiny
from click.testing import CliRunner
from PIL import Image
from tinted import tinted, write_gallery

from indexer.cli import indexer
from indexer.encoder import load_encoder
from indexer.errors import UsageError
from indexer.explain import (
    Local,
    explain_fake,
    explain_match,
    side_encoded,
    side_stored,
)
from indexer.images import sha256
from indexer.index import Index, build_index
from indexer.index.keeping import PatchPolicy
from indexer.maps import what_matched
from indexer.patches import restored
from indexer.sources import open_source
from indexer.types import Bool, Float32, Masked

UNKNOWN = tinted("fake/blend", 5000)
KNOWN = tinted("fake/blend", 3)


@pytest.fixture(scope="module")
def index_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("explain")
    write_gallery(root / "gallery")
    tiny.write_vit(root / "checkpoint")
    policy = PatchPolicy(6)
    with Index.create(root / "my.index", load_encoder(root / "checkpoint"), patches=policy) as made:
        build_index(made, [open_source(root / "gallery", "imagefolder")])
    return root / "my.index"


@pytest.fixture
def index(index_path: Path) -> Index:
    return Index.open(index_path)


def size(png: bytes) -> tuple[int, int]:
    picture = Image.open(io.BytesIO(png))
    assert picture.format == "PNG"
    return picture.size


def test_what_matched_in_the_kept_patches_of_a_hit(index: Index) -> None:
    at, local = index.store.generation, Local.of(index, UNKNOWN)
    here, there = side_encoded(index, local.encoded, at), side_stored(index, sha256(KNOWN), at)
    kept = index.store.patches([index.store.image(sha256(KNOWN)).id])
    space = index.patches().patches.projection
    [stored] = [space.apply(restored(patches)) for patches in kept.values()]
    np.testing.assert_array_equal(there.vectors, stored)
    assert (len(here.vectors), len(there.vectors), there.grid) == (16, 6, None)

    found = explain_match(index, here, there, local, at)
    assert size(found.picture)[0] == 2 * 376 + 16
    assert found.picture == explain_match(index, here, there, local, at).picture
    assert (found.kind, found.query_sha256, found.other_sha256, found.generation) == (
        "match",
        sha256(UNKNOWN),
        sha256(KNOWN),
        at,
    )
    figure = found.faithfulness["match"]
    strongest = np.argsort(-what_matched(here.vectors, there.vectors)[0], kind="stable")[:2]
    mask = np.isin(np.arange(16), strongest).reshape(1, 4, 4)
    taps = index.encoder.encode_masked(index.encoder.prepare(_rgb(UNKNOWN)), mask).taps
    masked = index.gallery().derived.projection.apply(taps)[0]
    assert figure.effect == pytest.approx((here.descriptor - masked) @ there.descriptor, abs=1e-6)
    assert found.says[0].startswith("16 patches of the image were compared with 6 of the other")
    assert f"p = {figure.p_value:.2f}" in found.says[1]


def _rgb(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def test_an_image_matches_itself_everywhere(index: Index) -> None:
    at = index.store.generation
    side = side_encoded(index, Local.of(index, KNOWN).encoded, at)
    assert what_matched(side.vectors, side.vectors)[0] == pytest.approx(1, abs=1e-5)
    found = explain_match(index, side, side, None, at)
    assert found.faithfulness == {}
    assert found.missing == {
        "match": "only patches of the image are kept, not its pixels to grey out"
    }


def test_what_is_planted_is_found_and_better_than_chance(index: Index) -> None:
    local, weights = Local.of(index, UNKNOWN), np.zeros((4, 4), np.float32)
    weights[1] = 2

    class Planted:
        encoded = local.encoded

        def vary(self, masks: Bool) -> Masked:
            evidence = ((1 - masks) * weights).sum(axis=(1, 2)) - 1
            return Masked(np.zeros((len(masks), 1, 1), np.float32), evidence.astype(np.float32))

        def attend(self) -> Float32:
            return np.arange(16, dtype=np.float32)

    found = explain_fake(index, Planted(), index.store.generation)
    occlusion, rollout = found.faithfulness["occlusion"], found.faithfulness["rollout"]
    assert (occlusion.effect, occlusion.better) == (16, True)
    assert (rollout.effect, rollout.better) == (0, False)
    assert found.says[0] == "The log-odds of fake are 7.00 for the image and -1.00 for a grey one."
    assert "The map by occlusion is better than chance here" in found.says[2]
    assert "The map of attention is no better than chance here" in found.says[3]
    assert "not a tamper localisation" in found.says[-1]


@pytest.mark.parametrize(
    "write", [tiny.write_vit, tiny.write_dinov2, tiny.write_timm, tiny.write_community_forensics]
)
def test_every_layout_with_a_head_is_explained(write, tmp_path: Path) -> None:
    write(tmp_path / "checkpoint")
    encoder = load_encoder(tmp_path / "checkpoint", precision="fp32")
    with Index.create(tmp_path / "my.index", encoder) as index:
        local = Local.of(index, UNKNOWN)
        found = explain_fake(index, local, index.store.generation)
        assert found.faithfulness.keys() == {"occlusion", "rollout"}
        assert found.missing == {}
        assert size(found.picture)[0] == 3 * 376 + 16


def test_a_tower_without_head_says_so_and_still_matches(tmp_path: Path) -> None:
    tiny.write_clip(tmp_path / "checkpoint")
    write_gallery(tmp_path / "gallery")
    encoder = load_encoder(tmp_path / "checkpoint", precision="fp32")
    with Index.create(tmp_path / "my.index", encoder) as index:
        build_index(index, [open_source(tmp_path / "gallery", "imagefolder")])
        at, local = index.store.generation, Local.of(index, UNKNOWN)
        with pytest.raises(UsageError, match="no head: it says nothing of fake"):
            explain_fake(index, local, index.store.generation)
        here, there = side_encoded(index, local.encoded, at), side_stored(index, sha256(KNOWN), at)
        assert "match" in explain_match(index, here, there, local, at).faithfulness


def test_what_is_not_kept_is_said(tmp_path: Path, index_path: Path) -> None:
    encoder = load_encoder(index_path.parent / "checkpoint")
    policy, gallery = PatchPolicy(0), index_path.parent / "gallery"
    with Index.create(tmp_path / "my.index", encoder, patches=policy) as index:
        build_index(index, [open_source(gallery, "imagefolder")], thumbnails=False)
        at = index.store.generation
        with pytest.raises(UsageError, match="keeps no patches"):
            side_stored(index, sha256(KNOWN), at)
        with pytest.raises(UsageError, match="keeps no patches"):
            side_encoded(index, Local.of(index, UNKNOWN).encoded, at)
    with Index.create(tmp_path / "bare.index", encoder) as index:
        build_index(index, [open_source(gallery, "imagefolder")], thumbnails=False)
        with pytest.raises(UsageError, match="indexed without a thumbnail"):
            side_stored(index, sha256(KNOWN), index.store.generation)


def test_the_command_draws_says_and_is_recorded(tmp_path: Path, index_path: Path) -> None:
    image, other = tmp_path / "image.png", tmp_path / "other.png"
    image.write_bytes(UNKNOWN)
    other.write_bytes(KNOWN)

    def run(*options: object) -> str:
        arguments = ["explain", image, "--index", index_path, *options]
        done = CliRunner().invoke(indexer, [*map(str, arguments)], catch_exceptions=False)
        assert done.exit_code == 0
        return done.output

    said = run("--out", tmp_path / "fake.png")
    assert "The map by occlusion is" in said
    match = json.loads(run("--hit", sha256(KNOWN), "--out", tmp_path / "hit.png", "--json"))
    assert match["other_sha256"] == sha256(KNOWN)
    run("--with", other, "--out", tmp_path / "with.png")
    widths = [size((tmp_path / f"{name}.png").read_bytes())[0] for name in ("fake", "hit", "with")]
    assert widths == [1144, 768, 768]
    with pytest.raises(UsageError, match="exists already"):
        run("--out", image)
    with pytest.raises(UsageError, match="no folder"):
        run("--out", tmp_path / "nowhere" / "fake.png")
    with pytest.raises(UsageError, match="one of them"):
        run("--hit", sha256(KNOWN), "--with", other, "--out", tmp_path / "x.png")
    with Index.open(index_path) as opened:
        rows = list(opened.store.audit.rows(last=3))
    assert [row.kind for row in rows] == ["explain"] * 3
    assert json.loads(rows[1].details) == {
        "kind": "match",
        "query": sha256(UNKNOWN),
        "other": sha256(KNOWN),
    }
