"""Manifests: every column to its place, and refusals that name the row."""

from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexer.errors import ImageRejected, UsageError
from indexer.sources import FileItem, open_source
from indexer.types import Annotation


def csv_source(folder: Path, text: str, name: str = "manifest.csv"):
    path = folder / name
    path.write_bytes(text.encode())
    return open_source(path)


def test_columns_go_to_annotation_and_metadata(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.jpg").write_bytes(b"content")
    source = csv_source(
        tmp_path,
        "path,label,family,source,captured_at,camera,note\n"
        'in/a.jpg,fake,gan,site,2024-05-01,X100,"two\nlines, ""quoted"""\n'
        "/elsewhere/b.jpg,real,real,,,,\n"
        "\n"
        "../c.jpg,,,,,,7\n",
    )
    assert list(source) == [
        FileItem(
            tmp_path / "in/a.jpg",
            Annotation("fake", "gan", "site", "2024-05-01"),
            {"camera": "X100", "note": 'two\nlines, "quoted"'},
        ),
        FileItem(Path("/elsewhere/b.jpg"), Annotation("real")),
        FileItem(tmp_path.parent / "c.jpg", Annotation(), {"note": "7"}),
    ]
    assert len(source) == 3
    first, second, _ = source
    assert first.read() == b"content"
    with pytest.raises(ImageRejected) as caught:
        second.read()
    assert caught.value.reason == "missing"


def test_a_byte_order_mark_and_windows_lines_are_understood(tmp_path):
    (item,) = csv_source(tmp_path, "\ufeffpath,label\r\nü.jpg,fake\r\n")
    assert item == FileItem(tmp_path / "ü.jpg", Annotation("fake"))


def test_tabs_separate_a_tsv(tmp_path):
    (item,) = csv_source(tmp_path, "path\tnote\na,b.jpg\tx,y\n", "manifest.TSV")
    assert item == FileItem(tmp_path / "a,b.jpg", Annotation(), {"note": "x,y"})


def test_an_empty_manifest_has_no_items(tmp_path):
    assert len(csv_source(tmp_path, "path\n")) == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,label\na.jpg,fake\n", "has the columns file, label; expected a column named path"),
        ("", r"has the columns \(none\); expected a column named path"),
        ("path,x,x\na,1,2\n", "repeats a column: path, x, x"),
        ("path,label\na,fake\nb,Fake\n", "line 3: label is 'Fake'; expected real, fake or nothing"),
        ("path,label\na,0\n", "line 2: label is '0'"),
        ("path,label\n,fake\n", "line 2: path is None; expected the path of an image"),
        ("path,label\na\n", "line 2: 1 values; expected 2"),
        ("path,label\na,fake,extra\n", "line 2: 3 values; expected 2"),
        ("path\na\0b.jpg\n", "line 2: path is 'a.*b.jpg'"),
        ('path\n"a"b\n', "cannot be read: .* expected a table in UTF-8"),
    ],
)
def test_a_wrong_manifest_is_refused_before_any_work(tmp_path, text, message):
    with pytest.raises(UsageError, match=message):
        csv_source(tmp_path, text)


def test_latin_1_is_refused(tmp_path):
    (tmp_path / "m.csv").write_bytes("path\nü.jpg\n".encode("latin-1"))
    with pytest.raises(UsageError, match="cannot be read: 'utf-8' codec"):
        open_source(tmp_path / "m.csv")


def parquet_source(folder: Path, **columns: object):
    path = folder / "manifest.parquet"
    pq.write_table(pa.table(columns), path)
    return open_source(path)


def test_parquet_keeps_types_and_writes_times_as_text(tmp_path):
    source = parquet_source(
        tmp_path,
        path=["a.jpg", "b.jpg"],
        label=["fake", None],
        captured_at=[datetime(2024, 5, 1, 12, tzinfo=UTC), None],
        size=[3, None],
        ratio=[0.5, float("nan")],
        good=[True, False],
        day=[date(2024, 5, 2), None],
        tags=[["x", "y"], []],
        box=[{"left": 1}, None],
        empty=["", ""],
    )
    assert list(source) == [
        FileItem(
            tmp_path / "a.jpg",
            Annotation("fake", captured_at="2024-05-01T12:00:00+00:00"),
            {
                "size": 3,
                "ratio": 0.5,
                "good": True,
                "day": "2024-05-02",
                "tags": ["x", "y"],
                "box": {"left": 1},
            },
        ),
        FileItem(tmp_path / "b.jpg", Annotation(), {"good": False, "tags": []}),
    ]


def test_parquet_refusals(tmp_path):
    with pytest.raises(UsageError, match="row 1: path is 5"):
        parquet_source(tmp_path, path=[5])
    with pytest.raises(UsageError, match="row 2: raw is of type bytes; expected text, numbers"):
        parquet_source(tmp_path, path=["a", "b"], raw=[None, b"x"])
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(UsageError, match=r"cannot be read: .* expected a Parquet file"):
        open_source(tmp_path / "broken.parquet")
