"""A throw-away PostgreSQL server: Debian's package or the wheel `pgserver`, on a socket only."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Self

import psycopg

USER = DATABASE = "lineup"


def programs() -> Path | None:
    """The folder of `initdb` and `pg_ctl`, None where no server is installed."""
    if config := shutil.which("pg_config"):
        told = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=True)
        if (folder := Path(told.stdout.strip())).joinpath("initdb").exists():
            return folder
    debian = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    if found := sorted(debian, key=lambda path: int(path.parts[-3])):
        return found[-1].parent
    try:
        import pgserver
    except ImportError:
        return None
    return Path(pgserver.__file__).parent / "pginstall" / "bin"


@dataclass
class Server:
    """A server of its own in a folder of its own, as an unprivileged user where we are root."""

    bin: Path
    root: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="pg", dir="/tmp")))
    numbers: count = field(default_factory=lambda: count(1))

    @property
    def data(self) -> Path:
        return self.root / "data"

    def __enter__(self) -> Self:
        if os.geteuid() == 0:
            shutil.chown(self.root, "nobody")
        self.run("initdb", "-A", "trust", "-U", USER, "-E", "UTF8", "--no-locale", "-D", self.data)
        self.start()
        # Words in order as in a dictionary, not as Lineup's, wherever the server knows such an
        # order: tests must see the difference.
        known = self.sql("SELECT FROM pg_collation WHERE collprovider = 'i'", "postgres")
        order = "LOCALE_PROVIDER icu ICU_LOCALE 'en'" if known else "LOCALE 'C'"
        self.sql(f"CREATE DATABASE {DATABASE} TEMPLATE template0 {order}", "postgres")
        return self

    def __exit__(self, *_: object) -> None:
        self.stop("immediate")
        shutil.rmtree(self.root)

    def run(self, program: str, *arguments: object) -> None:
        command = [str(self.bin / program), *map(str, arguments)]
        with (self.root / "log").open("ab") as log:
            subprocess.run(
                command,
                check=True,
                stdout=log,
                stderr=log,
                cwd=self.root,
                user="nobody" if os.geteuid() == 0 else None,
            )

    def start(self) -> None:
        options = f"-c listen_addresses='' -k {self.root} -c max_connections=100"
        for _ in range(40):  # after a kill, the old server's children may still be going
            try:
                self.run("pg_ctl", "-D", self.data, "-o", options, "-w", "start")
            except subprocess.CalledProcessError:
                time.sleep(0.5)
            else:
                return
        raise RuntimeError((self.root / "log").read_text())

    def stop(self, mode: str = "fast") -> None:
        self.run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")

    def kill(self) -> None:
        """As the machine would that loses its power, but for what it has in its caches."""
        server = (self.data / "postmaster.pid").read_text().split()[0]
        children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
        for process in (server, *children):
            os.kill(int(process), signal.SIGKILL)

    def url(self, database: str, schema: str = "public") -> str:
        """Of a database, and one of its schemas."""
        options = f"-csearch_path%3D{schema}"
        return f"postgresql+psycopg://{USER}@/{database}?host={self.root}&options={options}"

    def sql(self, statement: str, database: str = DATABASE) -> list[tuple[object, ...]]:
        with psycopg.connect(
            host=str(self.root), user=USER, dbname=database, autocommit=True
        ) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def place(self) -> str:
        """The URL of a new, empty schema: to Lineup the same as a database, and made at once."""
        name = f"s{next(self.numbers)}"
        self.sql(f"CREATE SCHEMA {name}")
        return self.url(DATABASE, name)
