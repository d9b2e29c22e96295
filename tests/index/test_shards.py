"""Building from shards: once read to the end they are left out, until something is removed."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.errors import ImageRejected
from indexer.index import Index, build_index
from indexer.sources import open_source
from indexer.sources.storage import Place

Make = Callable[..., Index]


@pytest.fixture
def shards(tmp_path: Path, pictures: Path) -> str:
    """Four tars of twelve pictures each; their brace pattern."""
    for number, folder in enumerate(sorted({path.parent for path in pictures.rglob("*.png")})):
        with tarfile.open(tmp_path / f"s-{number}.tar", "w") as archive:
            for path in sorted(folder.glob("*.png")):
                data = path.read_bytes()
                info = tarfile.TarInfo(f"{folder.name}-{path.name}")
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    return str(tmp_path / "s-{0..3}.tar")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the shards that are opened, as they are."""
    names: list[str] = []
    original = Place.open

    def recording(place: Place) -> object:
        names.append(Path(place.path).name)
        return original(place)

    monkeypatch.setattr(Place, "open", recording)
    return names


def digests(index: Index) -> set[str]:
    return set(index.store.columns(index.store.ids()).sha256)


def test_a_rerun_opens_no_shard_and_a_changed_one_is_read(
    shards: str, pictures: Path, make_index: Make, opened: list[str]
) -> None:
    index = make_index(shards, layout="auto")
    assert digests(index) == digests(make_index(pictures, name="folder"))
    assert opened == [f"s-{n}.tar" for n in range(4)]
    opened.clear()
    assert build_index(index, [open_source(shards)]).known == 0
    assert opened == []
    with tarfile.open(shards.replace("{0..3}", "2"), "a") as archive:
        archive.add(next(pictures.rglob("*.png")), "again.png")
    summary = build_index(index, [open_source(shards)])
    assert (opened, summary.added, summary.known) == (["s-2.tar"], 0, 13)
    assert index.store.check() == index.store.audit.faults() == []


def test_a_removal_opens_them_again(shards: str, make_index: Make) -> None:
    index = make_index(shards, layout="auto")
    gone = min(digests(index))
    with index.store.commit("remove", "ann") as txn:
        txn.remove([gone])
    assert build_index(index, [open_source(shards)]).added == 1
    assert gone in digests(index)


def test_a_broken_shard_is_told_and_read_again_when_it_is_whole(
    shards: str, make_index: Make, opened: list[str]
) -> None:
    path = Path(shards.replace("{0..3}", "1"))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    index = make_index(shards, layout="auto")
    [reject] = index.store.rejects()
    assert (reject.uri, reject.reason) == (str(path), "unreadable")
    assert 36 < len(digests(index)) < 48
    path.write_bytes(whole)
    opened.clear()
    build_index(index, [open_source(shards)])
    assert opened == ["s-1.tar"]
    assert (len(digests(index)), index.store.rejects()) == (48, [])


def test_the_reason_of_a_broken_shard_says_what_to_do(shards: str) -> None:
    path = Path(shards.replace("{0..3}", "0"))
    path.write_bytes(path.read_bytes()[:700])
    [item] = open_source(path)
    with pytest.raises(ImageRejected, match="restore it and build again; what came before"):
        item.read()
