"""`indexer build` with the runners that it offers."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from commands import run

from indexer.index import Index
from indexer.index.carried import carried


def kept(path: Path) -> list[tuple[object, ...]]:
    with Index.open(path) as index:
        return [
            (each.image.facts, each.uris, each.image.annotation, each.image.thumbnail)
            for each in carried(index.store, index.store.generation)
        ]


def test_ray_on_this_machine_does_what_this_process_does(
    tmp_path: Path, pictures: Path, checkpoint: Path
) -> None:
    pytest.importorskip("ray", reason="ray is not installed: pip install 'lineup[ray]'")
    common = (pictures, "--layout", "imagefolder", "--checkpoint", checkpoint)
    run("build", *common, "--index", tmp_path / "local.index")
    told = run("build", *common, "--index", tmp_path / "ray.index", "--runner", "ray", "--json")
    assert json.loads(told)["added"] == 48
    assert kept(tmp_path / "ray.index") == kept(tmp_path / "local.index")


def test_options_for_ray_need_ray(tmp_path: Path, pictures: Path) -> None:
    said = run("build", pictures, "--index", tmp_path / "i", "--actors", 2, code=2)
    assert "--actors without --runner ray" in said


def test_without_ray_the_extra_is_named(tmp_path: Path, pictures: Path, checkpoint: Path) -> None:
    code = "import sys; sys.modules['ray'] = None; from indexer.cli import main; main()"
    arguments = ["build", pictures, "--index", tmp_path / "i", "--checkpoint", checkpoint]
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments), "--runner", "ray"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "needs the package ray, which is not installed; pip install 'lineup[ray]'" in done.stderr
