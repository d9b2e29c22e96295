"""What a newcomer types, on the bundled checkpoint: real commands in processes of their own."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import run, run_json

pytestmark = pytest.mark.timeout(900)


def test_the_demo_ends_with_a_ranked_table_and_its_precision(demo: tuple[Path, str]) -> None:
    _, printed = demo
    rows = re.findall(r"^ (\d)  (0\.\d{3})  .* fake +decoder-grid ", printed, re.MULTILINE)
    assert [rank for rank, _ in rows] == list("12345678")
    assert [s for _, s in rows] == sorted((s for _, s in rows), reverse=True)
    found = re.search(r"Family P@10 (0\.\d{3})", printed)
    assert found is not None
    assert float(found[1]) >= 0.70
    assert "A similarity is a lead, not proof" in printed


def test_commands_say_in_json_what_they_promise(demo: tuple[Path, str], demo_index: Path) -> None:
    index, collection = demo_index, demo[0] / "collection"
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


def test_what_is_removed_leaves_the_export(
    demo: tuple[Path, str], demo_index: Path, tmp_path: Path
) -> None:
    index = demo_index
    before = run_json("info", "--index", index)["counts"]["images"]
    query = sorted((demo[0] / "collection" / "fake" / "warp").iterdir())[0]
    [hit] = run_json("search", query, "--index", index, "-k", 1)["hits"]
    run("remove", hit["sha256"], "--index", index)
    run("export", "--index", index, "--to", tmp_path / "exported")
    vectors = np.load(tmp_path / "exported" / "img_emb" / "img_emb_0.npy")
    rows = pd.read_parquet(tmp_path / "exported" / "metadata" / "metadata_0.parquet")
    assert len(vectors) == len(rows) == before - 1
    assert hit["sha256"] not in set(rows["sha256"])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(before - 1), abs=1e-5)


def test_mistakes_are_one_line_with_the_promised_code(demo_index: Path, tmp_path: Path) -> None:
    index = demo_index
    page = tmp_path / "page.jpg"
    page.write_text("<html>")
    assert "error: bytes that begin with" in run("search", page, "--index", index, code=1)
    assert "found colour" in run("search", page, "--index", index, "--where", "colour=1", code=2)
    assert "is not an index" in run("info", "--index", tmp_path, code=1)
    assert "1 rejected" in run("build", page, "--index", index, code=3)


def test_families_are_found_decided_upon_and_restored(demo_index: Path) -> None:
    index = demo_index

    def families(*arguments: object, code: int = 0) -> str:
        return run("families", *arguments, "--index", index, code=code)

    assert "10 families of 160 images" in families("build")
    assert "10 families of 160 images, as before" in families("build")
    listed = json.loads(families("list", "--json"))
    assert {(family["size"], family["name_from"]) for family in listed} == {(16, "label")}
    assert [line.split()[1] for line in families("list").splitlines()[1:]] == [
        family["name"] for family in listed
    ]
    shown = json.loads(families("show", "warp", "--json"))
    assert len(shown["members"]) == 16
    assert shown["lineage"][0]["kind"] == "birth"

    said = families("merge", "warp", "splice", "--author", "ann")
    number = re.findall(r"\d+", said)[0]
    assert said == f"decision {number}; take it back with: indexer families undo {number}\n"
    assert json.loads(families("show", "warp", "--json"))["size"] == 32
    assert "no family splice" in families("show", "splice", code=1)
    digest = shown["exemplars"][0]
    label = ("label", digest, "--family", "case 7", "--index", index)
    assert "decision" in run(*label)
    assert json.loads(families("show", "case 7", "--json"))["exemplars"] == [digest]
    families("undo", number)
    assert json.loads(families("show", "splice", "--json"))["size"] == 16
    assert "is undone already" in families("undo", number, code=2)
    kinds = [made["action"]["kind"] for made in json.loads(families("decisions", "--json"))]
    assert kinds == ["merge", "label", "undo"]
    assert "merge" in families("lineage")
    assert run_json("verify", "--index", index)["problems"] == []
