"""A `search-api` to measure: started on a free port, with the memory of all its processes."""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def serving(index: Path) -> Iterator[tuple[str, int]]:
    """Its URL and process id, once it listens."""
    command = [Path(sys.executable).parent / "search-api", "--index", index, "--port", "0"]
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield _address(process, Path(f"/proc/self/fd/{log.fileno()}")), process.pid
        finally:
            process.terminate()
            process.wait(timeout=60)


def _address(process: "subprocess.Popen[bytes]", log: Path) -> str:
    while process.poll() is None:
        if found := re.search(r"running on (http://\S+)", log.read_text()):
            return found[1]
        time.sleep(0.2)
    raise RuntimeError(f"the server did not start:\n{log.read_text()}")


def memory(pid: int) -> dict[str, float]:
    """MiB of a server and of each of its children, by the module that a child runs.

    A page that several of them hold counts in parts (Linux PSS).
    """
    told = {"service": _pss(pid)}
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # it ends while it is looked at
            for child in (task / "children").read_text().split():
                told[_module(child)] = _pss(int(child))
    return told


def _module(pid: str) -> str:
    """What follows `python -m search_api.` in a command line."""
    command = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    return command[command.index("-m") + 1].removeprefix("search_api.")


def _pss(pid: int) -> float:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)[1]) / 1024
