"""Items that are files on a disk; every source of this package yields them."""

import os
import stat
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from indexer.errors import ImageRejected, UsageError
from indexer.filters import META, Filter, fields, matches
from indexer.images import Limits, sha256
from indexer.images.decoding import check_bytes
from indexer.sources.rows import ANNOTATED
from indexer.types import Annotation, Shard, SourceItem


@dataclass(frozen=True, slots=True)
class FileItem:
    """One file, untouched until `read`.

    `path` is absolute. `metadata` holds JSON values: str, int, float, bool, list, dict.
    """

    path: Path
    annotation: Annotation = field(default_factory=Annotation)
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def uri(self) -> str:
        """The absolute path; bytes of a name that are no UTF-8 appear as backslash escapes."""
        return os.fsencode(self.path).decode("utf-8", "backslashreplace")

    def read(self, limits: Limits = Limits()) -> bytes:  # noqa: B008 frozen value
        """The bytes, at most `limits.max_bytes`.

        Raises ImageRejected "missing", "unreadable" (folder, device, permission, failing
        disk) or "too-many-bytes".
        """
        try:
            mode = self.path.stat().st_mode
            if not stat.S_ISREG(mode):  # opening a pipe would wait for ever
                raise ImageRejected("unreadable", f"{self.uri} is not a regular file")
            with self.path.open("rb") as file:
                data = file.read(limits.max_bytes + 1)
        except FileNotFoundError as error:
            raise ImageRejected(
                "missing", f"no file at {self.uri}", do="correct the path or restore the file"
            ) from error
        except OSError as error:
            raise ImageRejected("unreadable", f"{self.uri}: {error.strerror}") from error
        check_bytes(len(data), limits)
        return data


@dataclass(frozen=True, slots=True)
class FileSource:
    """Files in a fixed order. `ignored` counts files that were passed over by a stated rule."""

    items: tuple[SourceItem, ...]
    ignored: int = 0

    def __iter__(self) -> Iterator[SourceItem]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    @property
    def name(self) -> str:
        """A digest of every item's URI."""
        return sha256("\0".join(item.uri for item in self.items).encode(errors="surrogatepass"))

    @property
    def count(self) -> int:
        """How many items."""
        return len(self.items)

    def select(self, where: Filter) -> "FileSource":
        """The items that pass a filter on what is known before reading: label, family,
        source, captured_at and meta.<key>. Raises UsageError on another field."""
        check_fields(where)
        kept = (item for item in self.items if matches(where, row_of(item)))
        return FileSource(tuple(kept), self.ignored)

    def without(self, done: Collection[Shard]) -> "FileSource":  # noqa: ARG002
        """Itself: it has no shards."""
        return self

    def parts(self, size: int) -> Iterator["FileSource"]:
        """Parts of `size` items; see `indexer.types.ImageSource`."""
        for start in range(0, len(self.items), size):
            yield FileSource(self.items[start : start + size])


def check_fields(where: Filter) -> None:
    """Raises UsageError on a field that is not known before an image is read."""
    if unknown := sorted(f for f in fields(where) if f not in ANNOTATED and META not in f):
        raise UsageError(
            f"the field {unknown[0]} is not known before an image is read",
            expected=f"one of {', '.join(ANNOTATED)}, meta.<key>",
        )


def row_of(item: SourceItem) -> dict[str, Any]:
    """What a filter compares."""
    return {
        **{name: getattr(item.annotation, name) for name in ANNOTATED},
        **{META + key: value for key, value in item.metadata.items()},
    }


def absolute(path: str | Path, base: Path | None = None) -> Path:
    """`path` from `base` (default: the working directory), without "..", links kept."""
    return Path(os.path.abspath(Path(base or ".", path)))  # noqa: PTH100 resolve() follows links
