"""`search-api` as a process of its own, for every suite that asks it over HTTP."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Server:
    """A running `search-api`; `log` holds all that it has printed."""

    url: str
    log: Path
    process: "subprocess.Popen[bytes]"


@contextmanager
def serving(
    index: Path | str, log: Path, settings: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Serve `index` on a free loopback port until the block ends."""
    command = [Path(sys.executable).parent / "search-api", "--index", index, "--port", "0"]
    with log.open("w") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=os.environ | (settings or {})
        )
    try:
        yield Server(_address(process, log), log, process)
    finally:
        process.terminate()
        process.wait(timeout=20)


def _address(process: "subprocess.Popen[bytes]", log: Path) -> str:
    for _ in range(1800):
        if found := re.search(r"running on (http://\S+)", log.read_text()):
            return found[1]
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise AssertionError(f"the server did not start:\n{log.read_text()}")
