"""What several suites share; its presence also makes `tests/hostile.py` importable."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import run
from hostile import write_hostile
from postgresql_server import Server, programs


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache directory of this run, so that no model converted by other code is used."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("LINEUP_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The folder of hostile files and, by name, "decoded" or the reason each must get."""
    folder = tmp_path_factory.mktemp("hostile")
    return folder, write_hostile(folder)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A PostgreSQL server; its method `place` says where an index may be made."""
    found = programs()
    if found is None:
        pytest.skip("no PostgreSQL server: apt install postgresql, or pip install pgserver")
    with Server(found) as server:
        yield server


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of one demo, and what it printed."""
    folder = tmp_path_factory.mktemp("demo")
    return folder, run("demo", "--to", folder)


@pytest.fixture
def demo_index(demo: tuple[Path, str], tmp_path: Path) -> Path:
    """A copy of the demo's index, to do with as one likes."""
    return Path(shutil.copytree(demo[0] / "demo.index", tmp_path / "demo.index"))
