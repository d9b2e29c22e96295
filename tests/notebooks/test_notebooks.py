"""The notebooks run from top to bottom and show pictures."""

import html
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from indexer.cli.demo import QUERY_FAMILY

pytestmark = pytest.mark.timeout(900)

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def test_there_are_four() -> None:
    names = {path.stem for path in NOTEBOOKS}
    assert names == {"explore_families", "investigate_image", "evaluate_index", "export_case"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_and_shows_pictures(
    path: Path, demo_index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINEUP_INDEX", str(demo_index))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    book = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in book.cells), "outputs are not committed"
    NotebookClient(book, timeout=240).execute()
    shown = html.unescape(
        "".join(
            output["data"]["text/html"]
            for cell in book.cells
            for output in cell.get("outputs", ())
            if "text/html" in output.get("data", {})
        )
    )
    pictures = len(set(re.findall(r"data:image/webp;base64,[A-Za-z0-9+/=]{100,}", shown)))
    if path.stem == "evaluate_index":
        assert shown.count("plotly-graph-div") >= 3
    else:
        assert pictures >= 8
    if path.stem == "explore_families":
        assert QUERY_FAMILY in shown
