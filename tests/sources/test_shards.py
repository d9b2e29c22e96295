"""Tar and Parquet shards: streamed in order, labelled, resumable, broken ones told."""

import io
import json
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import ImageRejected, UsageError
from indexer.filters import parse_filter
from indexer.images import Limits
from indexer.sources import ShardSource, open_source
from indexer.sources.shards import expand
from indexer.types import Annotation, Shard


def tar(path: Path, members: list[tuple[str, bytes]]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def said(**known: object) -> bytes:
    return json.dumps(known).encode()


def items(source) -> list:
    return [item for item in source if not isinstance(item, Shard)]


def ends(source) -> list[Shard]:
    return [item for item in source if isinstance(item, Shard)]


def test_samples_of_a_tar_with_what_is_said_of_them(tmp_path: Path) -> None:
    path = tar(
        tmp_path / "s.tar",
        [
            ("a/000.jpg", b"one"),
            ("a/000.json", said(label="fake", family="gan", tool="t1", nothing=None)),
            ("a/001.cls", b"7\n"),
            ("a/001.npy", b"\xff\xfe"),
            ("a/001.seg.png", b"two"),
            ("a/._001.png", b"x"),
            ("a/.hidden.png", b"x"),
            ("a/002.txt", b"no image"),
            ("a/003", b"no suffix"),
        ],
    )
    one, two = items(open_source(path))
    assert (one.uri, one.read()) == (f"tar://a/000.jpg::{path}", b"one")
    assert (one.annotation, one.metadata) == (Annotation("fake", "gan"), {"tool": "t1"})
    assert (two.uri, two.read()) == (f"tar://a/001.seg.png::{path}", b"two")
    assert (two.annotation, two.metadata) == (Annotation(), {"cls": "7"})


def test_a_shard_ends_with_itself_and_is_left_out_once_it_is_done(tmp_path: Path) -> None:
    for number in range(3):
        tar(tmp_path / f"s-{number}.tar", [(f"{number}.png", b"x")])
    source = open_source(tmp_path / "s-{0..2}.tar")
    assert isinstance(source, ShardSource)
    assert source.count is None
    first, second, third = ends(source)
    assert [shard.uri for shard in (first, second, third)] == [
        str(tmp_path / f"s-{number}.tar") for number in range(3)
    ]
    left = source.without([first, third])
    assert [item.uri for item in items(left)] == [f"tar://1.png::{tmp_path}/s-1.tar"]
    assert ends(left) == [second]
    tar(tmp_path / "s-0.tar", [("0.png", b"longer than it was"), ("more.png", b"y")])
    assert len(items(source.without([first]))) == 4


def test_a_filter_keeps_what_matches_and_ends_no_shard(tmp_path: Path) -> None:
    members = [("a.png", b"1"), ("a.json", said(label="real")), ("b.png", b"2")]
    source = open_source(tar(tmp_path / "s.tar", members))
    kept = source.select(parse_filter("label = 'real'"))
    assert [item.read() for item in items(kept)] == [b"1"]
    assert ends(kept) == []
    with pytest.raises(UsageError, match="width is not known before an image is read"):
        source.select(parse_filter("width > 3"))


def test_what_lies_before_the_break_is_kept_and_the_break_is_told(tmp_path: Path) -> None:
    path = tar(tmp_path / "s.tar", [(f"{n}.png", bytes(600)) for n in range(4)])
    path.write_bytes(path.read_bytes()[:2600])
    *whole, broken = items(open_source(path))
    assert [item.uri for item in whole] == [f"tar://0.png::{path}"]
    with pytest.raises(ImageRejected, match=r"cannot be read after tar://0\.png") as caught:
        broken.read()
    assert (caught.value.reason, broken.uri) == ("unreadable", str(path))
    assert ends(open_source(path)) == []


def test_a_shard_that_is_not_there_is_told_and_the_next_is_read(tmp_path: Path) -> None:
    tar(tmp_path / "s-1.tar", [("a.png", b"x")])
    missing, found = items(open_source(tmp_path / "s-{0..1}.tar"))
    with pytest.raises(ImageRejected, match=r"no file at .*s-0\.tar"):
        missing.read()
    assert found.read() == b"x"


def test_a_member_beyond_the_limit_is_not_read(tmp_path: Path) -> None:
    path = tar(tmp_path / "s.tar", [("a.png", bytes(100)), ("b.png", b"x")])
    (item, _) = items(open_source(path))
    with pytest.raises(ImageRejected, match="100 bytes or more"):
        item.read(Limits(max_bytes=99))
    huge = tmp_path / "huge.tar"
    with tarfile.open(huge, "w") as archive:
        info = tarfile.TarInfo("a.png")
        info.size = 65 << 20
        archive.addfile(info, io.BytesIO(bytes(info.size)))
    (item,) = items(open_source(huge))
    with pytest.raises(ImageRejected, match=r"a\.png of 68,157,440 bytes; expected at most 67,"):
        item.read()


@pytest.mark.parametrize(
    ("sidecar", "message"),
    [(b"{", "expected JSON"), (b"[1]", "a list"), (said(label="deepfake"), "label is 'deepfake'")],
)
def test_a_sidecar_that_makes_no_sense_is_refused(tmp_path: Path, sidecar, message) -> None:
    path = tar(tmp_path / "s.tar", [("a.png", b"x"), ("a.json", sidecar)])
    with pytest.raises(UsageError, match=message):
        items(open_source(path))


def test_parquet_with_images_as_hugging_face_writes_it(tmp_path: Path) -> None:
    features = {"label": {"names": ["Real", "Fake"], "_type": "ClassLabel"}}
    table = pa.table(
        {
            "image": [{"bytes": b"one", "path": "one.png"}, {"bytes": b"two", "path": None}],
            "label": [1, 0],
            "family": ["gan", None],
            "n": [3, None],
        }
    ).replace_schema_metadata({b"huggingface": said(info={"features": features})})
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "train-00000-of-00001.parquet"
    pq.write_table(table, path)
    (tmp_path / "README.md").write_text("# A dataset")
    source = open_source(tmp_path, layout="shards")
    one, two = items(source)
    assert (one.uri, one.read()) == (f"file://{path}#row=0", b"one")
    assert one.annotation == Annotation("fake", "gan")
    assert one.metadata == {"n": 3, "name": "one.png"}
    assert (two.read(), two.annotation, two.metadata) == (b"two", Annotation("real"), {})
    assert [shard.uri for shard in ends(source)] == [f"file://{path}"]
    assert [item.read() for item in items(open_source(path))] == [b"one", b"two"]


def test_parquet_without_bytes(tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": pa.array([None, b"x"], pa.binary())}), tmp_path / "a.parquet")
    empty, full = items(open_source(tmp_path / "a.parquet"))
    with pytest.raises(ImageRejected, match="holds no bytes"):
        empty.read()
    assert full.read() == b"x"
    pq.write_table(pa.table({"text": ["a"]}), tmp_path / "b.parquet")
    with pytest.raises(UsageError, match="has the columns text; expected a column named image"):
        items(open_source(tmp_path, layout="shards"))


def test_damaged_parquet_is_told_with_its_shard(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"image": [bytes(5_000)] * 40}), path, compression="none")
    path.write_bytes(path.read_bytes()[:-100])
    [broken] = items(open_source(tmp_path, layout="shards"))
    with pytest.raises(ImageRejected, match=r"cannot be read after its beginning: "):
        broken.read()
    assert ends(open_source(tmp_path, layout="shards")) == []


@given(st.integers(0, 30), st.integers(0, 5), st.integers(1, 4))
def test_ranges_count_up_at_their_width(start, more, width) -> None:
    first, last = str(start).zfill(width), str(start + more).zfill(width)
    names = expand(f"a-{{{first}..{last}}}.tar")
    assert names == [f"a-{n:0{width}d}.tar" for n in range(start, start + more + 1)]


def test_two_ranges_and_none() -> None:
    assert expand("{0..1}/s-{08..10}") == [f"{a}/s-{b}" for a in "01" for b in ("08", "09", "10")]
    assert expand("plain{x}.tar") == ["plain{x}.tar"]
