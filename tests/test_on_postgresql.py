"""The commands and the service on a truth at a server: as on a folder, but for where things lie."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from postgresql_server import Server
from serving import serving
from tinted import write_gallery
from tiny import write_vit

from indexer.cli import indexer
from indexer.errors import UsageError
from indexer.index import Index

Run = Callable[..., str]


@pytest.fixture
def url(postgresql: Server) -> str:
    return postgresql.place()


@pytest.fixture
def run(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("LINEUP_INDEX", url)

    def run(*arguments: object) -> str:
        result = CliRunner().invoke(indexer, list(map(str, arguments)), catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    return run


def test_every_command_and_the_service(url: str, cache: Path, run: Run, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    write_gallery(pictures)
    write_vit(tmp_path / "tiny")
    query = sorted(pictures.rglob("*.png"))[0]
    build = ("build", pictures, "--layout", "imagefolder", "--checkpoint", tmp_path / "tiny")
    count = len(list(pictures.rglob("*.png")))
    assert f"{count} added, 0 known" in run(*build)
    assert f"0 added, {count} known" in run(*build)
    answer = json.loads(run("search", query, "-k", 3, "--label", "fake", "--json"))
    digest = answer["hits"][0]["sha256"]
    assert "families of" in run("families", "build")
    assert "decision" in run("label", digest, "--family", "case 7")
    assert json.loads(run("families", "show", "case 7", "--json"))["exemplars"] == [digest]
    assert "P@10" in run("evaluate")
    out = tmp_path / "report.zip"
    run("report", query, "--out", out, "-k", 2)
    assert "replayed: the same hits" in run("report", "verify", out, "--index", url)
    with pytest.raises(UsageError, match="is the index itself"):
        run("merge", url)
    with serving(url, tmp_path / "log", {"LINEUP_KEEP_QUERIES": "true"}) as server:
        body = {"images": [digest], "label": "fake", "family": "case 9"}
        httpx.post(f"{server.url}/v1/labels", json=body).raise_for_status()
        files = {"image": query.read_bytes()}
        found = httpx.post(f"{server.url}/v1/search", files=files, timeout=60).json()
        assert digest in {hit["sha256"] for hit in found["hits"] if hit["family"] == "case 9"}
    run("remove", digest)
    told = json.loads(run("info", "--json"))
    assert (told["path"], told["counts"]["images"], told["kept_queries"]) == (url, count - 1, 1)
    with Index.open(url) as index:  # what is derived is this machine's own, and disposable
        assert index.derived_root == cache / "indexes" / index.store.identity
        shutil.rmtree(index.derived_root)
    again = json.loads(
        run(
            "search",
            query,
            "-k",
            3,
            "--generation",
            answer["generation"],
            "--label",
            "fake",
            "--json",
        )
    )
    assert again["hits"] == answer["hits"]
    assert json.loads(run("verify", "--json"))["problems"] == []
    assert "whole" in run("audit", "verify")
