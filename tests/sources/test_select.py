"""A filter on a source keeps the inputs that match, before anything is read."""

from pathlib import Path

import pytest

from indexer.errors import UsageError
from indexer.filters import parse_filter
from indexer.sources import open_source


def kept(manifest: Path, where: str) -> list[str]:
    return [item.path.name for item in open_source(manifest).select(parse_filter(where))]


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "m.csv"
    path.write_text("path,label,family,role\na,fake,gan,gallery\nb,fake,gan,query\nc,real,,query\n")
    return path


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("meta.role = 'query'", ["b", "c"]),
        ("family = 'gan' and meta.role != 'query'", ["a"]),
        ("not label = 'fake'", ["c"]),
        ("source is null", ["a", "b", "c"]),
    ],
)
def test_what_matches_is_kept_in_order(manifest: Path, where: str, names: list[str]) -> None:
    assert kept(manifest, where) == names


def test_a_field_that_only_reading_tells_is_refused(manifest: Path) -> None:
    with pytest.raises(UsageError, match="width is not known before an image is read"):
        kept(manifest, "label = 'fake' and (width > 3 or meta.role = 'query')")
