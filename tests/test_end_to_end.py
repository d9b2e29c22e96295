"""What a newcomer types, on the bundled checkpoint: real commands in processes of their own."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.timeout(900)

COMMAND = [sys.executable, "-c", "from indexer.cli import main; main()"]


def run(*arguments: object, code: int = 0) -> str:
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stdout + done.stderr


def run_json(*arguments: object) -> dict[str, Any]:
    return json.loads(run(*arguments, "--json"))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of one demo, and what it printed."""
    folder = tmp_path_factory.mktemp("demo")
    return folder, run("demo", "--to", folder)


def test_the_demo_ends_with_a_ranked_table_and_its_precision(demo: tuple[Path, str]) -> None:
    _, printed = demo
    rows = re.findall(r"^ (\d)  (0\.\d{3})  .* fake +decoder-grid ", printed, re.MULTILINE)
    assert [rank for rank, _ in rows] == list("12345678")
    assert [s for _, s in rows] == sorted((s for _, s in rows), reverse=True)
    found = re.search(r"Family P@10 (0\.\d{3})", printed)
    assert found is not None
    assert float(found[1]) >= 0.70
    assert "A similarity is a lead, not proof" in printed


def test_commands_say_in_json_what_they_promise(demo: tuple[Path, str], tmp_path: Path) -> None:
    folder, _ = demo
    index, collection = folder / "demo.index", folder / "collection"
    query = sorted((collection / "fake" / "splice").iterdir())[0]
    built = run_json("build", collection / "real", "--index", index)
    assert set(built) == {
        *("added", "known", "rejected", "generation", "seconds", "images_per_second")
    }
    assert (built["added"], built["known"], built["rejected"]) == (24, 48, {})
    assert run_json("build", collection / "real", "--index", index)["added"] == 0
    answer = run_json("search", query, "--index", index, "-k", 3, "--label", "fake")
    assert {"query_sha256", "generation", "checkpoint", "score", "hits"} <= set(answer)
    assert answer["generation"] == built["generation"]
    assert [hit["label"] for hit in answer["hits"]] == ["fake"] * 3
    hit_keys = {"sha256", "uri", "label", "family", "source", "similarity", "score"}
    assert hit_keys <= set(answer["hits"][0])
    assert run_json("info", "--index", index)["counts"]["images"] == 232
    assert run_json("verify", "--index", index)["problems"] == []


def test_what_is_removed_leaves_the_export(demo: tuple[Path, str], tmp_path: Path) -> None:
    folder, _ = demo
    index = folder / "demo.index"
    before = run_json("info", "--index", index)["counts"]["images"]
    query = sorted((folder / "collection" / "fake" / "warp").iterdir())[0]
    [hit] = run_json("search", query, "--index", index, "-k", 1)["hits"]
    run("remove", hit["sha256"], "--index", index)
    run("export", "--index", index, "--to", tmp_path / "exported")
    vectors = np.load(tmp_path / "exported" / "img_emb" / "img_emb_0.npy")
    rows = pd.read_parquet(tmp_path / "exported" / "metadata" / "metadata_0.parquet")
    assert len(vectors) == len(rows) == before - 1
    assert hit["sha256"] not in set(rows["sha256"])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(before - 1), abs=1e-5)


def test_mistakes_are_one_line_with_the_promised_code(
    demo: tuple[Path, str], tmp_path: Path
) -> None:
    index = demo[0] / "demo.index"
    page = tmp_path / "page.jpg"
    page.write_text("<html>")
    assert "error: bytes that begin with" in run("search", page, "--index", index, code=1)
    assert "found colour" in run("search", page, "--index", index, "--where", "colour=1", code=2)
    assert "is not an index" in run("info", "--index", tmp_path, code=1)
    assert "1 rejected" in run("build", page, "--index", index, code=3)
