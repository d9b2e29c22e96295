"""Every runner yields what encoding the inputs one after the other, by hand, would."""

import io
import json
import shutil
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile import write_hostile

from indexer.encoder import load_encoder
from indexer.errors import ImageRejected, UsageError
from indexer.images import sha256
from indexer.index import BuildSummary, Index, build_index
from indexer.index.carried import Carried, carried
from indexer.index.encoding import encode, named, prepare
from indexer.index.keeping import Keeper, PatchPolicy
from indexer.index.runner import LocalRunner, Runner
from indexer.sources import Source, open_source
from indexer.types import Shard

KEEP = PatchPolicy(4, tiles=True)


@pytest.fixture(scope="module", params=["local", pytest.param("ray", marks=pytest.mark.scale)])
def runner(request: pytest.FixtureRequest) -> Iterator[Runner]:
    """Each implementation; ray on this machine, with parts of a few images, and with an actor
    that leaves no core to anything else."""
    if request.param == "local":
        yield LocalRunner()
        return
    ray = pytest.importorskip("ray", reason="ray is not installed: pip install 'lineup[ray]'")
    from indexer.index import ray_runner

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ray_runner, "PART", 16)
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False)
        yield ray_runner.RayRunner(room=ray_runner.Room(cpus=2))
        ray.shutdown()


@pytest.fixture
def new_index(tmp_path: Path, checkpoint: Path) -> Callable[[], Index]:
    """Makes an empty index that keeps patches of the crop and of tiles."""

    def make() -> Index:
        number = len(list(tmp_path.glob("*.index")))
        return Index.create(tmp_path / f"{number}.index", load_encoder(checkpoint), patches=KEEP)

    return make


@pytest.fixture
def inputs(tmp_path: Path, pictures: Path) -> Path:
    """A manifest of pictures with what is known of them, one of them twice, and hostile files."""
    write_hostile(tmp_path / "hostile")
    paths = sorted(pictures.rglob("*.png"))
    paths += sorted(path for path in (tmp_path / "hostile").iterdir() if path.is_file())
    paths.append(tmp_path / "again.png")
    shutil.copy(paths[0], paths[-1])
    manifest = tmp_path / "manifest.csv"
    lines = [f"{path},fake,f{n % 3},{n}" for n, path in enumerate(paths[:-1])]
    manifest.write_text(
        "\n".join(["path,label,family,number", *lines, f"{paths[-1]},fake,f0,0"]), encoding="utf-8"
    )
    return manifest


def everything(index: Index) -> dict[str, dict[str, Any]]:
    """By sha256, all that is kept of every image."""
    return {
        each.image.facts.sha256: plain(each)
        for each in carried(index.store, index.store.generation)
    }


def plain(each: Carried) -> dict[str, Any]:
    image, kept = each.image, each.image.patches
    assert kept is not None
    assert image.logits is not None
    return {
        "facts": image.facts,
        "uris": set(each.uris),
        "annotation": image.annotation,
        "metadata": json.dumps(dict(image.metadata), sort_keys=True),
        "thumbnail": image.thumbnail,
        "numbers": [image.taps.ravel(), image.logits, [image.score], kept.scales],
        "patches": (kept.codes.tobytes(), kept.boxes.tobytes()),
    }


def by_hand(index: Index, source: Source) -> tuple[dict[str, dict[str, Any]], set[tuple[str, str]]]:
    """What every image of `source` has to become, and (uri, reason) of what is rejected."""
    keeper = Keeper(lambda: index.encoder, KEEP)
    images: dict[str, dict[str, Any]] = {}
    rejects = set()
    for item in source:
        if isinstance(item, Shard):
            continue
        try:
            data = item.read()
            prepared = prepare(index.encoder, data, thumbnail=True, tiles=keeper.tiles)
        except ImageRejected as error:
            rejects.add((item.uri, error.reason))
            continue
        if (digest := sha256(data)) in images:
            images[digest]["uris"].add(item.uri)
            continue
        [one] = encode(index.encoder, [prepared])
        kept = keeper.keep(one.patches, prepared.tiles, one.facts)
        image = named(one, item.uri, item.annotation, item.metadata, kept)
        images[digest] = plain(Carried(image, (item.uri,)))
    return images, rejects


def rejected(index: Index) -> set[tuple[str, str]]:
    return {(reject.uri, reject.reason) for reject in index.store.rejects()}


def assert_equal(found: dict[str, dict[str, Any]], expected: dict[str, dict[str, Any]]) -> None:
    """Numbers within what an engine may differ by between machines; all else equal."""
    assert found.keys() == expected.keys()
    for digest, image in expected.items():
        other = dict(found[digest])
        for one, two in zip(other.pop("numbers"), image["numbers"], strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-3, atol=1e-3)
        assert other == {key: value for key, value in image.items() if key != "numbers"}


def test_every_input_becomes_what_it_has_to(
    runner: Runner, new_index: Callable[[], Index], inputs: Path
) -> None:
    index, source = new_index(), open_source(inputs)
    summary = build_index(index, [source], runner=runner)
    images, rejects = by_hand(index, source)
    assert_equal(everything(index), images)
    assert rejected(index) == rejects
    assert (summary.added, summary.rejected.total()) == (len(images), len(rejects))
    assert summary.done == len(source)
    assert index.store.check() == index.store.audit.faults() == []


def test_what_is_known_is_not_encoded_and_what_is_said_of_it_is_heard(
    runner: Runner, new_index: Callable[[], Index], pictures: Path, tmp_path: Path
) -> None:
    index = new_index()
    build_index(index, [open_source(pictures)], runner=runner)
    generation = index.store.generation
    again = build_index(index, [open_source(pictures)], runner=runner)
    assert (again.added, again.known, again.generation) == (0, 48, generation)
    one, other = sorted(pictures.rglob("*.png"))[:2]
    copy = shutil.copy(other, tmp_path / "copy.png")
    (tmp_path / "said.csv").write_text(f"path,label,family\n{one},fake,new\n{copy},real,\n")
    said = build_index(index, [open_source(tmp_path / "said.csv")], runner=runner)
    assert (said.added, said.known) == (0, 2)
    stored = [index.store.image(sha256(path.read_bytes())) for path in (one, other)]
    assert [(i.annotation.label, i.annotation.family) for i in stored] == [
        ("fake", "new"),
        ("real", None),
    ]
    assert set(stored[1].uris) == {str(other), str(copy)}


def test_shards_are_read_to_their_end_once_and_a_broken_one_is_told(
    runner: Runner, new_index: Callable[[], Index], pictures: Path, tmp_path: Path
) -> None:
    for number, folder in enumerate(("real", "fake/waves", "fake/noise")):
        with tarfile.open(tmp_path / f"s-{number}.tar", "w") as archive:
            for path in sorted((pictures / folder).iterdir()):
                archive.add(path, path.name)
                said = json.dumps({"family": path.parent.name, "label": "fake"}).encode()
                info = tarfile.TarInfo(f"{path.stem}.json")
                info.size = len(said)
                archive.addfile(info, io.BytesIO(said))
    whole = (tmp_path / "s-2.tar").read_bytes()
    (tmp_path / "s-2.tar").write_bytes(whole[: len(whole) // 2])
    pattern = str(tmp_path / "s-{0..2}.tar")
    index = new_index()
    build_index(index, [open_source(pattern)], runner=runner)
    images, rejects = by_hand(index, open_source(pattern))
    assert_equal(everything(index), images)
    assert rejected(index) == rejects == {(str(tmp_path / "s-2.tar"), "unreadable")}
    assert {Path(shard.uri).name for shard in index.store.shards()} == {"s-0.tar", "s-1.tar"}
    (tmp_path / "s-2.tar").write_bytes(whole)
    summary = build_index(index, [open_source(pattern)], runner=runner)
    assert summary.done == 12  # only the one that was broken
    assert len(everything(index)) == 36
    assert rejected(index) == set()


def test_an_interrupted_build_is_completed(
    runner: Runner, new_index: Callable[[], Index], inputs: Path
) -> None:
    def interrupt(summary: BuildSummary) -> None:
        if summary.done:
            raise KeyboardInterrupt

    index, source = new_index(), open_source(inputs)
    parts = list(source.parts(16))
    with pytest.raises(KeyboardInterrupt):
        build_index(index, parts, runner=runner, on_progress=interrupt)
    build_index(index, parts, runner=runner)
    images, rejects = by_hand(index, source)
    assert_equal(everything(index), images)
    assert rejected(index) == rejects
    assert index.store.check() == index.store.audit.faults() == []


def test_what_makes_no_sense_stops_the_build(
    runner: Runner, new_index: Callable[[], Index], tmp_path: Path
) -> None:
    with tarfile.open(tmp_path / "s.tar", "w") as archive:
        for name, content in (("a.jpg", b"x"), ("a.json", b"{not json")):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    with pytest.raises(UsageError, match=r"s\.tar, a\.json: .*expected JSON"):
        build_index(new_index(), [open_source(tmp_path / "s.tar")], runner=runner)
