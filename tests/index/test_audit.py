"""What the commands and the facade leave in the audit chain."""

import getpass
import hashlib
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from indexer.cli import indexer
from indexer.encoder import load_encoder
from indexer.filters import parse_filter
from indexer.images.region import Region
from indexer.index import (
    Index,
    build_index,
    query_bytes,
    region_bytes,
    search,
    search_region,
)
from indexer.index.derived_folder import folders, read_manifest
from indexer.index.export import export
from indexer.sources import open_source

Make = Callable[..., Index]


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(indexer, [str(argument) for argument in arguments])
    return result.exit_code, result.output


def test_a_query_leaves_its_hash_its_options_and_the_hash_of_its_hits(
    pictures: Path, make_index: Make
) -> None:
    index = make_index(pictures)
    data = (pictures / "real/1.png").read_bytes()
    where = parse_filter("label = fake and not (source = x or score > 0.9)")
    answer = search(index, query_bytes(index, data), 3, where=where, risk=0.1, author="ann")
    (row,) = index.store.audit.rows(last=1)
    hits = "".join(f"{hit.sha256} {hit.similarity!r}\n" for hit in answer.hits)
    assert (row.kind, row.author, row.generation) == ("query", "ann", answer.generation)
    assert json.loads(row.details) == {
        "query": hashlib.sha256(data).hexdigest(),
        "k": 3,
        "where": "label = 'fake' and not (source = 'x' or score > 0.9)",
        "risk": 0.1,
        "rerank": False,
        "verdict": answer.conclusion.verdict,
        "hits": 3,
        "hits_sha256": hashlib.sha256(hits.encode()).hexdigest(),
    }


def test_a_search_by_region_leaves_the_same(
    tmp_path: Path, checkpoint: Path, pictures: Path
) -> None:
    image = pictures / "real/1.png"
    with Index.create(tmp_path / "regions.index", load_encoder(checkpoint)) as index:
        build_index(index, [open_source(pictures / "real", "auto")])
        query = region_bytes(index, image.read_bytes(), Region(10, 20, 40, 30))
        answer = search_region(index, query, 3, author="ann")
        (row,) = index.store.audit.rows(last=1)
    hits = "".join(f"{hit.sha256} {hit.agreement!r}\n" for hit in answer.hits)
    assert (row.kind, row.author, row.generation) == ("query", "ann", answer.generation)
    assert json.loads(row.details) == {
        "query": hashlib.sha256(image.read_bytes()).hexdigest(),
        "k": 3,
        "where": None,
        "region": {"x": 10, "y": 20, "width": 40, "height": 30},
        "hits": 3,
        "hits_sha256": hashlib.sha256(hits.encode()).hexdigest(),
    }


def test_a_fit_leaves_the_hashes_of_projection_and_calibration(
    pictures: Path, make_index: Make
) -> None:
    index = make_index(pictures)
    (row,) = (row for row in index.store.audit.rows() if row.kind == "fit")
    sums = read_manifest(folders(index.derived_root)[0][1])["sha256"]
    details = json.loads(row.details)
    assert details["projection"] == sums["projection.safetensors"]
    assert details["calibration"] == sums["calibration.json"]


def test_the_chain_is_shown_verified_and_exported(
    tmp_path: Path, pictures: Path, make_index: Make
) -> None:
    with make_index(pictures / "real", layout="auto") as index:
        path = index.path
        digest = index.store.images(index.store.ids()[:1])[0].sha256
        export(index, tmp_path / "exported", author="ann")
    assert run("remove", digest, "--index", path)[0] == 0
    code, shown = run("audit", "show", "--index", path, "--json")
    rows = json.loads(shown)["rows"]
    assert code == 0
    assert [row["kind"] for row in rows] == ["create", "build", "fit", "export", "remove"]
    assert rows[-1]["author"] == getpass.getuser()
    assert "remove" in run("audit", "show", "--index", path, "--last", 1)[1]
    code, told = run("audit", "verify", "--index", path)
    head = told.split()[-1]
    assert (code, told.splitlines()[0]) == (0, "ok: 5 rows, the chain is whole")
    code, told = run("audit", "export", "--index", path, "--to", tmp_path / "audit.jsonl")
    assert (code, told.split()[-1]) == (0, head)
    first, *lines = map(json.loads, (tmp_path / "audit.jsonl").read_text().splitlines())
    assert lines == rows
    assert first["genesis"] == rows[0]["previous"]
    assert run("audit", "verify", "--index", path, "--expect-head", head)[0] == 0
    absent = f"9:{'0' * 64}"
    code, told = run("audit", "verify", "--index", path, "--expect-head", absent)
    assert (code, told) == (1, "rows 7 to 9 were removed, as the head that was noted says\n")


@pytest.mark.parametrize("command", ["audit verify", "verify"])
def test_an_altered_label_is_told(pictures: Path, make_index: Make, command: str) -> None:
    with make_index(pictures) as index:
        path = index.path
    with closing(sqlite3.connect(path / "truth.sqlite")) as connection, connection:
        connection.execute("UPDATE images SET family = 'x' WHERE family = 'waves'")
    code, told = run(*command.split(), "--index", path)
    assert code == 1
    assert "generation 1: the rows of images that it added are not the ones that audit" in told
