"""The `indexer` command in a process of its own."""

import json
import subprocess
import sys
from typing import Any

COMMAND = [sys.executable, "-c", "from indexer.cli import main; main()"]


def run(*arguments: object, code: int = 0) -> str:
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stdout + done.stderr


def run_json(*arguments: object) -> dict[str, Any]:
    return json.loads(run(*arguments, "--json"))
