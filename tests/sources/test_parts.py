"""The parts of a source are the source, wherever they are read."""

import pickle
import tarfile
from pathlib import Path

import pytest
from hostile import encode, picture

from indexer.filters import parse_filter
from indexer.sources import open_source
from indexer.types import Shard, SourceItem


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven pictures as files, named by a manifest and in two tars."""
    root = tmp_path_factory.mktemp("parts")
    (root / "folder/fake/waves").mkdir(parents=True)
    paths = [root / f"folder/fake/waves/{number}.png" for number in range(7)]
    for number, path in enumerate(paths):
        path.write_bytes(encode(picture(number), "PNG"))
    lines = [f"{path},real,{number}" for number, path in enumerate(paths)]
    (root / "manifest.csv").write_text("\n".join(["path,label,number", *lines]))
    for number, members in enumerate((paths[:3], paths[3:])):
        with tarfile.open(root / f"{number}.tar", "w") as archive:
            for path in members:
                archive.add(path, path.name)
    return root


def told(item: SourceItem | Shard) -> object:
    if isinstance(item, Shard):
        return item
    return item.uri, item.annotation, dict(item.metadata), item.read()


@pytest.mark.parametrize(
    ("name", "layout", "sizes"),
    [
        ("folder", "imagefolder", [3, 3, 1]),
        ("file://{root}/folder", "imagefolder", [3, 3, 1]),
        ("manifest.csv", "auto", [3, 3, 1]),
        ("{{0..1}}.tar", "auto", [4, 5]),
    ],
)
def test_parts_are_the_whole(pictures: Path, name: str, layout: str, sizes: list[int]) -> None:
    name = name.format(root=pictures)
    source = open_source(name if "://" in name else pictures / name, layout)
    parts = [pickle.loads(pickle.dumps(part)) for part in source.parts(3)]
    assert [len(list(part)) for part in parts] == sizes
    assert [told(item) for part in parts for item in part] == [told(item) for item in source]


def test_a_filter_and_what_is_done_hold_in_the_parts(pictures: Path) -> None:
    chosen = open_source(pictures / "manifest.csv").select(parse_filter("meta.number = '5'"))
    assert [len(part) for part in chosen.parts(3)] == [1]
    source = open_source(pictures / "{0..1}.tar")
    first = next(item for item in source if isinstance(item, Shard))
    assert [len(list(part)) for part in source.without([first]).parts(3)] == [0, 5]
