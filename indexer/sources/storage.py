"""Files by path or URL (s3://, gs://, hf://, ...); the one door to fsspec.

Credentials come from the environment, as each driver documents it; a URL that carries one is
refused, since URLs are kept and shown.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, Final, Self
from urllib.parse import urlsplit
from uuid import uuid4

import fsspec

from indexer.errors import MissingExtra, NotFound, UsageError

FOREIGN_ERRORS: Final = {"botocore.exceptions": "BotoCoreError", "aiohttp": "ClientError"}

DRAFT: Final = ".draft"
"""Suffix of what is being written, or was when its writer died."""


@dataclass(frozen=True, slots=True)
class Place:
    """A file or folder on one file system. `url` names it wherever it is read again."""

    fs: fsspec.AbstractFileSystem
    path: str
    url: str

    @classmethod
    def of(cls, url: str) -> Self:
        """Raises UsageError on credentials in the URL or an unknown scheme, MissingExtra."""
        if "@" in urlsplit(url).netloc:
            raise UsageError(
                f"{_hidden(url)} carries credentials",
                expected="a URL without them",
                do="set them in the environment",
            )
        try:
            fs, path = fsspec.url_to_fs(url)
        except ImportError as error:
            if urlsplit(url).scheme == "s3":
                raise MissingExtra("s3fs", "s3", "reading s3://") from error
            raise UsageError(f"{url}: {error}", expected="a scheme with its driver") from error
        except ValueError as error:
            raise UsageError(f"{url}: {error}", expected="a path or a URL") from error
        return cls(fs, path, url)

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """To read within. Raises OSError (FileNotFoundError and others), then and there."""
        with _as_os_errors(), self.fs.open(self.path, "rb") as file:
            yield file

    def is_folder(self) -> bool:
        """Raises NotFound where nothing is, UsageError where nobody may look or answers."""
        try:
            return bool(self._info()["type"] == "directory")
        except FileNotFoundError as error:
            raise NotFound(f"nothing at {self.url}", do="check the URL") from error
        except OSError as error:
            raise UsageError(
                f"{self.url} cannot be looked at: {error}",
                do="check the URL, the credentials in the environment and the connection",
            ) from error

    def version(self) -> str:
        """What changes with the content: the size, and the ETag or else the time of the last
        change. Raises OSError."""
        info = self._info()
        stamps = (info.get(key) for key in ("ETag", "etag", "LastModified", "mtime", "created"))
        return f"{info['size']} {next((stamp for stamp in stamps if stamp), '')}"

    def walk(self) -> Iterator["Place"]:
        """Every file below, folder by folder, sorted within each; names that begin with a dot
        are skipped. Listed as it is asked for. Raises OSError."""
        with _as_os_errors():
            for folder, folders, files in self.fs.walk(self.path, detail=True, on_error="raise"):
                for name in sorted(folders):
                    if name.startswith("."):
                        del folders[name]
                for name in sorted(files):
                    if not name.startswith("."):
                        yield self._below(f"{folder.rstrip('/')}/{name}")

    def sibling(self, name: str) -> "Place":
        """What a relative `name` in this file means."""
        return self._below(f"{self.path.rsplit('/', 1)[0]}/{name}")

    def child(self, name: str) -> "Place":
        """What is, or shall be, called `name` in this folder."""
        return self._below(f"{self.path.rstrip('/')}/{name}")

    def exists(self) -> bool:
        """Whether anything is there. Raises OSError."""
        with _as_os_errors():
            return bool(self.fs.exists(self.path))

    @contextmanager
    def save(self) -> Iterator[IO[bytes]]:
        """To write within; afterwards it is there whole, or as before. Raises OSError."""
        draft = f"{self.path}.{uuid4().hex}{DRAFT}"
        with _as_os_errors():
            self.fs.makedirs(self.fs._parent(self.path), exist_ok=True)
            with self.fs.open(draft, "wb") as file:
                yield file
            self.fs.mv(draft, self.path)

    def remove(self) -> None:
        """Raises OSError."""
        with _as_os_errors():
            self.fs.rm_file(self.path)

    def relative(self, other: "Place") -> tuple[str, ...]:
        """The names that lead from this folder to a file below it."""
        return tuple(other.path.removeprefix(self.path).strip("/").split("/"))

    def _info(self) -> dict[str, Any]:
        with _as_os_errors():
            info: dict[str, Any] = self.fs.info(self.path)
            return info

    def _below(self, path: str) -> "Place":
        return Place(self.fs, path, self.fs.unstrip_protocol(path))


def is_url(text: str) -> bool:
    """Whether it names a place by scheme; a Windows drive letter is none."""
    return "://" in text


@contextmanager
def _as_os_errors() -> Iterator[None]:
    """What drivers raise beside OSError when nobody answers or credentials are missing."""
    loaded = ((sys.modules.get(module), name) for module, name in FOREIGN_ERRORS.items())
    foreign = tuple(getattr(module, name) for module, name in loaded if module is not None)
    try:
        yield
    except foreign as error:
        raise OSError(str(error)) from error


def _hidden(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rsplit("@", 1)[-1]).geturl()
