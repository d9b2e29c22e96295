"""The main job: everything that can be indexed is, once; the rest is told."""

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hostile import DECODED, write_hostile
from tiny import write_vit

from indexer.encoder import load_encoder
from indexer.errors import PassportMismatch, UsageError
from indexer.images import sha256
from indexer.index import Index, build_index
from indexer.index.inspect import verify
from indexer.sources import open_source

Make = Callable[..., Index]


def stored(index: Index) -> dict[str, tuple[str | None, str | None, tuple[str, ...]]]:
    """sha256 -> (label, family, uris) of the latest generation."""
    images = index.store.images(index.store.ids())
    return {i.sha256: (i.annotation.label, i.annotation.family, i.uris) for i in images}


def test_a_build_holds_every_image_with_its_labels(pictures: Path, make_index: Make) -> None:
    expected = {}
    for path in pictures.rglob("*.png"):
        family = path.parent.name if path.parent.name != "real" else None
        label = "fake" if family else "real"
        expected[sha256(path.read_bytes())] = (label, family, (str(path),))
    index = make_index(pictures)
    assert stored(index) == expected
    assert verify(index)["problems"] == []


def test_a_rerun_adds_nothing_and_makes_no_generation(pictures: Path, make_index: Make) -> None:
    index = make_index(pictures)
    before = index.store.generation
    summary = build_index(index, [open_source(pictures, "imagefolder")])
    assert (summary.added, summary.known, summary.generation) == (0, 48, before)


def test_taps_do_not_depend_on_batch_or_order(pictures: Path, make_index: Make) -> None:
    whole = make_index(pictures, name="whole")
    parts = make_index(pictures / "real", pictures / "fake", name="parts", layout="auto")
    for digest in stored(whole):
        one, other = (i.store.taps([i.store.image(digest).id]) for i in (whole, parts))
        assert np.array_equal(one, other)


def test_one_content_at_two_places_is_one_image(
    tmp_path: Path, pictures: Path, make_index: Make
) -> None:
    folder = tmp_path / "twice"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        shutil.copy(pictures / "real" / "0.png", folder / name)
    index = make_index(folder, layout="auto")
    [(_, _, uris)] = stored(index).values()
    assert uris == (str(folder / "a.png"), str(folder / "b.png"))


def test_labels_that_change_in_the_manifest_change_in_the_index(
    tmp_path: Path, pictures: Path, make_index: Make
) -> None:
    manifest = tmp_path / "manifest.csv"
    image = pictures / "real" / "0.png"
    manifest.write_text(f"path,label,family\n{image},fake,waves\n")
    index = make_index(manifest, layout="auto")
    manifest.write_text(f"path,label,family\n{image},fake,blocks\n")
    build_index(index, [open_source(manifest)])
    assert stored(index)[sha256(image.read_bytes())][:2] == ("fake", "blocks")


def test_hostile_files_get_their_reason_and_stop_nothing(tmp_path: Path, make_index: Make) -> None:
    folder = tmp_path / "hostile"
    expected = write_hostile(folder)
    index = make_index(folder, layout="auto")
    rejects = {Path(reject.uri).name: reject.reason for reject in index.store.rejects()}
    found = {Path(uri).name: DECODED for _, _, uris in stored(index).values() for uri in uris}
    seen = {item.uri for item in open_source(folder)}
    assert found | rejects == {
        name: r for name, r in expected.items() if str(folder / name) in seen
    }
    assert Counter(rejects.values())["truncated"] > 3
    assert build_index(index, [open_source(folder)]).added == 0
    assert len(index.store.rejects()) == len(rejects)


def test_another_checkpoint_is_refused_with_the_difference(
    tmp_path: Path, pictures: Path, make_index: Make
) -> None:
    index = make_index(pictures)
    write_vit(tmp_path / "other", seed=1)
    with pytest.raises(PassportMismatch, match="weights_sha256"):
        index.use(load_encoder(tmp_path / "other"))


def test_an_index_is_made_only_where_nothing_is(tmp_path: Path, checkpoint: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="not an index"):
        Index.create(tmp_path, load_encoder(checkpoint))
