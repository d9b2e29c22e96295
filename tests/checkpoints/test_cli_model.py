"""`indexer model` end to end, without a network."""

import json
import os
import shutil
import subprocess
import sys

import pytest
import tiny
from click.testing import CliRunner

from indexer.cli.model import model
from indexer.errors import CheckpointError


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    monkeypatch.setenv("LINEUP_CACHE", str(tmp_path / "cache"))
    tiny.write_vit(tmp_path / "vit")
    return tmp_path / "vit"


def run(*arguments):
    result = CliRunner().invoke(model, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_list_names_every_known_checkpoint(checkpoint):
    rows = json.loads(run("list", "--json"))["checkpoints"]
    assert [row["name"] for row in rows] == ["community-forensics", "commfor-384", "demo"]
    assert rows[0]["local"] is False
    assert "community-forensics (to be pulled, MIT)" in run("list")


def test_info_of_a_directory(checkpoint):
    facts = json.loads(run("info", checkpoint, "--json"))
    assert facts["layout"] == "vit"
    assert facts["head"] == {"kind": "softmax", "labels": ["real", "fake"], "fake": 1}
    assert facts["architecture"]["layers"] == tiny.LAYERS
    assert "weights_sha256" in run("info", checkpoint)


def test_info_of_a_known_checkpoint_that_is_elsewhere(checkpoint):
    facts = json.loads(run("info", "community-forensics", "--json"))
    assert facts["local"] is False
    assert facts["sha256"].startswith("275ba982")
    assert "ImageNet constants were used" in facts["note"]
    assert [point["grade"] for point in facts["operating_points"]] == ["A", "B", "B"]


def test_verify_reads_every_byte(checkpoint):
    assert json.loads(run("verify", checkpoint, "--json"))["ok"] is True
    weights = checkpoint / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4])
    with pytest.raises(CheckpointError, match="copy or pull it again"):
        run("verify", checkpoint)


def test_a_cached_checkpoint_is_not_pulled_again(checkpoint, tmp_path):
    revision = "f" * 40
    shutil.copytree(checkpoint, tmp_path / "cache/checkpoints" / f"org--name@{revision[:12]}")
    assert json.loads(run("pull", f"org/name@{revision}", "--json"))["layout"] == "vit"


def test_verify_never_fetches(checkpoint):
    with pytest.raises(CheckpointError, match="not on this machine; on a connected machine run"):
        run("verify", "commfor-384")


def test_the_command_says_its_error_in_one_line(checkpoint):
    ran = subprocess.run(
        [sys.executable, "-c", "from indexer.cli import main; main()", "model", "info", "a/b"],
        capture_output=True,
        text=True,
        env={**os.environ},
    )
    assert ran.returncode == 2
    assert ran.stdout == ""
    assert ran.stderr == (
        "error: the hub id a/b has no pinned revision; "
        "expected a/b@COMMIT with the 40 hex digits of a commit\n"
    )


@pytest.mark.parametrize("name", ["list", "info", "pull", "verify", "convert"])
def test_every_help_shows_an_example(name):
    assert f"Example:\n    indexer model {name}" in run(name, "--help")
