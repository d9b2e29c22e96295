"""Folders: which files are items, in which order, with which labels."""

import errno
import os
from pathlib import Path

import pytest

from indexer.errors import NotFound, UsageError
from indexer.sources import open_source
from indexer.types import Annotation


def make(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return root


def relative(source, root: Path) -> list[str]:
    return [item.path.relative_to(root).as_posix() for item in source]


def test_images_and_files_without_suffix_are_items_in_sorted_order(tmp_path):
    make(tmp_path, "b.png", "a/z.JPG", "a/noext", "c/d/e.heic", "B.tif")
    make(tmp_path, "notes.txt", "a/table.csv", "c/facts.json")
    make(tmp_path, ".hidden.png", ".cache/x.png", "a/.git/y.png")
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    source = open_source(tmp_path)
    assert relative(source, tmp_path) == ["B.tif", "a/noext", "a/z.JPG", "b.png", "c/d/e.heic"]
    assert (len(source), source.ignored) == (5, 3)
    assert [item.uri for item in source] == [str(item.path) for item in source]
    assert all(item.annotation == Annotation() and item.metadata == {} for item in source)
    assert [item.read() for item in source][1] == b"a/noext"
    assert list(source) == list(source)


def test_link_loops_end_and_linked_files_are_items(tmp_path):
    make(tmp_path, "in/a.png", "elsewhere/b.png")
    root = tmp_path / "in"
    (root / "loop").symlink_to(root)
    (root / "linked.png").symlink_to(tmp_path / "elsewhere/b.png")
    (root / "dangling.png").symlink_to(tmp_path / "gone.png")
    source = open_source(root)
    assert relative(source, root) == ["a.png", "linked.png"]
    assert [item.read() for item in source] == [b"in/a.png", b"elsewhere/b.png"]


def test_imagefolder_takes_labels_and_families_from_the_first_two_levels(tmp_path):
    make(tmp_path, "real/a.png", "real/deep/b.png", "fake/gan/c.png", "fake/gan/deep/d.png")
    make(tmp_path, "fake/e.png", "other/f.png", "g.png", "fake/gan/readme.txt")
    source = open_source(tmp_path, layout="imagefolder")
    assert {item.path.name: item.annotation for item in source} == {
        "a.png": Annotation("real"),
        "b.png": Annotation("real"),
        "c.png": Annotation("fake", "gan"),
        "d.png": Annotation("fake", "gan"),
        "e.png": Annotation("fake"),
    }
    assert source.ignored == 3
    flat = open_source(tmp_path)
    assert (len(flat), flat.ignored) == (7, 1)
    assert {item.annotation for item in flat} == {Annotation()}


def test_imagefolder_without_real_or_fake_says_what_was_found(tmp_path):
    make(tmp_path, "Originals/a.png", "gan/b.png")
    with pytest.raises(UsageError, match=r"has the folders Originals, gan; expected real/ and"):
        open_source(tmp_path, layout="imagefolder")


def test_one_file_is_a_source_whatever_its_suffix(tmp_path):
    path = make(tmp_path, "photo.bin") / "photo.bin"
    (item,) = open_source(str(path))
    assert (item.uri, item.read()) == (str(path), b"photo.bin")


def test_a_relative_source_has_absolute_uris(tmp_path, monkeypatch):
    make(tmp_path, "in/a.png")
    monkeypatch.chdir(tmp_path / "in")
    (item,) = open_source("../in/.")
    assert item.uri == str(tmp_path / "in/a.png")


def test_what_cannot_be_a_source_is_refused(tmp_path):
    make(tmp_path, "a.png")
    with pytest.raises(NotFound, match=r"nothing at .*gone"):
        open_source(tmp_path / "gone")
    with pytest.raises(UsageError, match="expected auto or imagefolder"):
        open_source(tmp_path, layout="webdataset")
    with pytest.raises(UsageError, match="is a file; expected a folder"):
        open_source(tmp_path / "a.png", layout="imagefolder")


def test_a_name_that_is_no_utf8_has_a_printable_uri_and_can_be_read(tmp_path):
    raw = os.fsencode(tmp_path) + b"/caf\xe9.png"
    with open(raw, "wb") as file:  # noqa: PTH123 pathlib cannot take bytes
        file.write(b"content")
    (item,) = open_source(tmp_path)
    assert item.uri == f"{tmp_path}/caf\\xe9.png"
    assert item.read() == b"content"


def test_a_folder_that_may_not_be_listed_is_refused(tmp_path, monkeypatch):
    make(tmp_path, "closed/a.png")
    scandir = os.scandir

    def denied(path):
        if Path(path).name == "closed":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", denied)  # root may list any folder: chmod shows nothing
    with pytest.raises(UsageError, match=r"closed cannot be listed: Permission denied"):
        open_source(tmp_path)
