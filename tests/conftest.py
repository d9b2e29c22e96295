"""What several suites share; its presence also makes `tests/hostile.py` importable."""

from pathlib import Path

import pytest
from hostile import write_hostile


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The folder of hostile files and, by name, "decoded" or the reason each must get."""
    folder = tmp_path_factory.mktemp("hostile")
    return folder, write_hostile(folder)
