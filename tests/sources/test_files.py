"""Reading one file: bounded, with a reason for each way it can fail."""

import errno
import os
from pathlib import Path

import pytest

from indexer.errors import ImageRejected
from indexer.images import Limits
from indexer.sources import FileItem


def reason(path: Path, limits: Limits) -> str:
    with pytest.raises(ImageRejected) as caught:
        FileItem(path).read(limits)
    return caught.value.reason


def test_reading_is_bounded_at_the_byte(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"12345678")
    assert FileItem(path).read(Limits(max_bytes=8)) == b"12345678"
    assert reason(path, Limits(max_bytes=7)) == "too-many-bytes"


def test_a_sparse_giant_is_not_read_whole(tmp_path):
    path = tmp_path / "giant.png"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    assert reason(path, Limits(max_bytes=1000)) == "too-many-bytes"


def test_what_is_no_file(tmp_path):
    (tmp_path / "a.png").write_bytes(b"x")
    (tmp_path / "dangling.png").symlink_to(tmp_path / "gone")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    os.mkfifo(tmp_path / "pipe.png")
    assert reason(tmp_path / "gone.png", Limits()) == "missing"
    assert reason(tmp_path / "dangling.png", Limits()) == "missing"
    assert reason(tmp_path, Limits()) == "unreadable"
    assert reason(tmp_path / "pipe.png", Limits()) == "unreadable"
    assert reason(tmp_path / "loop.png", Limits()) == "unreadable"
    assert reason(tmp_path / "a.png" / "b.png", Limits()) == "unreadable"
    assert reason(tmp_path / ("n" * 300), Limits()) == "unreadable"


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(b"x")

    def denied(*args, **options):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", denied)  # root may read any file, so that chmod shows nothing
    with pytest.raises(ImageRejected, match="Permission denied") as caught:
        FileItem(path).read()
    assert caught.value.reason == "unreadable"
