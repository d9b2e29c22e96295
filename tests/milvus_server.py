"""A throw-away Milvus 2.3.5, the last release of the real server that pip installs.

It has an environment of its own, which is kept in the cache folder, and a network namespace of
its own, since it binds on every interface; from outside it is reached on one loopback port.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PACKAGE = "milvus==2.3.5"
NAMESPACE = ["unshare", "--map-root-user", "--net"]


class Unavailable(Exception):
    """Why there is no server here."""


def environment() -> Path:
    """The Python that has the server's package; installed when it is first asked for."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folder = cache / "lineup-tests" / PACKAGE
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        _run([str(python), "-m", "pip", "install", "--quiet", PACKAGE])
        (folder / "complete").touch()
    return python


def _run(command: list[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        told = getattr(error, "stderr", None) or str(error)
        raise Unavailable(f"{' '.join(command)}: {told.strip()}") from error


@contextmanager
def milvus_server() -> Iterator[str]:
    """The URL of a server, `milvus+http://127.0.0.1:PORT`. Raises Unavailable."""
    _run([*NAMESPACE, "ip", "link", "set", "lo", "up"])
    script = Path(__file__).with_name("milvus_serve.py")
    with (
        tempfile.TemporaryDirectory(prefix="milvus", ignore_cleanup_errors=True) as folder,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        descriptor = listener.fileno()
        process = subprocess.Popen(
            [*NAMESPACE, environment(), script, str(descriptor), folder],
            pass_fds=[descriptor],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            assert process.stdout is not None
            if process.stdout.readline() != "ready\n":
                raise Unavailable(f"{PACKAGE} did not start")
            yield f"milvus+http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            os.killpg(process.pid, 9)
            process.wait()
