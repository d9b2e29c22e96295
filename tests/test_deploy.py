"""What the files in deploy/ name exists: flags, variables, paths, routes, extras, times.

No container is built and no unit started here; these are the mistakes that can be seen without.
"""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from search_api.access import NEEDED, OPEN
from search_api.cli import search_api
from search_api.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())["services"]["lineup"]
UNIT = (ROOT / "deploy/lineup.service").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DEFAULTS = {name: field.default for name, field in Settings.model_fields.items()}


def variables() -> dict[str, str]:
    """What the image's ENV sets."""
    joined = DOCKERFILE.replace("\\\n", " ")
    lines = re.findall(r"^ENV (.*)$", joined, re.MULTILINE)
    return dict(pair.split("=", 1) for line in lines for pair in line.split())


def test_the_image_sets_what_the_service_knows() -> None:
    ours = {name for name in variables() if name.startswith("LINEUP_")}
    known = {f"LINEUP_{name.upper()}" for name in DEFAULTS} | {"LINEUP_CACHE"}
    assert ours <= known
    assert {"LINEUP_INDEX", "LINEUP_SIGNING_KEY", "LINEUP_CACHE"} <= ours
    assert variables()["LINEUP_AUTH"] == "required"


def test_the_image_writes_only_where_volumes_are() -> None:
    volumes = re.search(r"^VOLUME (.*)$", DOCKERFILE, re.MULTILINE)
    assert volumes is not None
    kept = yaml.safe_load(volumes[1])
    written = [variables()[f"LINEUP_{name}"] for name in ("INDEX", "SIGNING_KEY", "CACHE")]
    assert {"/" + path.split("/")[1] for path in written} == set(kept)
    assert {mount.split(":")[-1] for mount in COMPOSE["volumes"]} == set(kept)
    assert COMPOSE["read_only"] is True


def test_the_image_installs_extras_and_starts_a_script_that_exist() -> None:
    extras = re.findall(r"EXTRAS=([\w,]+)", DOCKERFILE)
    assert len(extras) == 2
    assert set(",".join(extras).split(",")) <= PROJECT["optional-dependencies"].keys()
    assert '".[$EXTRAS]"' in DOCKERFILE
    assert "-c constraints.txt" in DOCKERFILE
    assert (ROOT / "constraints.txt").is_file()
    entry = re.search(r"^ENTRYPOINT (.*)$", DOCKERFILE, re.MULTILINE)
    assert entry is not None
    assert yaml.safe_load(entry[1])[0] in PROJECT["scripts"]
    assert PROJECT["requires-python"] == ">=3.11"
    assert DOCKERFILE.count("FROM python:3.11-slim") == 2


def test_the_image_asks_a_route_that_needs_no_key_at_the_port_it_opens() -> None:
    asked = re.search(r"urlopen\('http://127\.0\.0\.1:(\d+)([^']*)'\)", DOCKERFILE)
    exposed = re.search(r"^EXPOSE (\d+)$", DOCKERFILE, re.MULTILINE)
    assert asked is not None
    assert exposed is not None
    assert int(asked[1]) == int(exposed[1]) == DEFAULTS["port"]
    assert NEEDED["GET", asked[2]] == OPEN
    assert COMPOSE["ports"] == [f"127.0.0.1:{exposed[1]}:{exposed[1]}"]


def test_compose_builds_from_here_as_the_same_user() -> None:
    build = COMPOSE["build"]
    context = (ROOT / "deploy" / build["context"]).resolve()
    assert context == ROOT
    assert (context / build["dockerfile"]).is_file()
    uid = re.search(r"--uid (\d+)", DOCKERFILE)
    assert uid is not None
    assert COMPOSE["user"] == f"{uid[1]}:{uid[1]}"


def test_the_service_has_time_to_end() -> None:
    unit = re.search(r"^TimeoutStopSec=(\d+)$", UNIT, re.MULTILINE)
    assert unit is not None
    assert int(unit[1]) > DEFAULTS["shutdown_timeout"]
    assert int(COMPOSE["stop_grace_period"].removesuffix("s")) > DEFAULTS["shutdown_timeout"]


def test_the_unit_starts_a_command_that_exists(tmp_path: Path) -> None:
    command = re.search(r"^ExecStart=(\S+) (.*)$", UNIT, re.MULTILINE)
    assert command is not None
    assert Path(command[1]).name in PROJECT["scripts"]
    help_ = CliRunner().invoke(search_api, ["--help"]).output
    assert all(flag in help_ for flag in re.findall(r"--[\w-]+", command[2]))
    if (analyze := shutil.which("systemd-analyze")) is None:
        pytest.skip("no systemd-analyze on this machine")
    unit = tmp_path / "lineup.service"
    unit.write_text(UNIT.replace(command[1], sys.executable))
    done = subprocess.run([analyze, "verify", unit], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
