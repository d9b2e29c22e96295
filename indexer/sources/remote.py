"""Images one by one in an object store."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from indexer.errors import ImageRejected
from indexer.filters import Filter, matches
from indexer.images import Limits
from indexer.images.decoding import check_bytes
from indexer.sources.files import FileSource, check_fields, row_of
from indexer.sources.folder import IMAGE_SUFFIXES, annotation_of
from indexer.sources.storage import Place
from indexer.types import Annotation, Shard


@dataclass(frozen=True, slots=True)
class RemoteItem:
    """One object, untouched until `read`."""

    place: Place
    annotation: Annotation = field(default_factory=Annotation)
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def uri(self) -> str:
        return self.place.url

    def read(self, limits: Limits = Limits()) -> bytes:  # noqa: B008 frozen value
        """The bytes. Raises ImageRejected "missing", "unreadable" or "too-many-bytes"."""
        try:
            with self.place.open() as file:
                data = file.read(limits.max_bytes + 1)
        except FileNotFoundError as error:
            raise ImageRejected(
                "missing", f"no file at {self.uri}", do="correct the URL"
            ) from error
        except OSError as error:
            raise ImageRejected("unreadable", f"{self.uri}: {error}") from error
        check_bytes(len(data), limits)
        return data


@dataclass(frozen=True, slots=True)
class RemoteFolder:
    """Every image file below a folder, listed as it is asked for; `labelled`: as the layout
    imagefolder has them."""

    root: Place
    labelled: bool = False
    where: Filter | None = None

    count = None

    def __iter__(self) -> Iterator[RemoteItem]:
        for place in self.root.walk():
            if Path(place.path).suffix.lower() not in IMAGE_SUFFIXES | {""}:
                continue
            annotation = Annotation()
            if self.labelled:
                said = annotation_of(self.root.relative(place))
                if said is None:
                    continue
                annotation = said
            item = RemoteItem(place, annotation)
            if self.where is None or matches(self.where, row_of(item)):
                yield item

    @property
    def name(self) -> str:
        """The folder's URL."""
        return self.root.url

    def select(self, where: Filter) -> "RemoteFolder":
        """As `FileSource.select`."""
        check_fields(where)
        return RemoteFolder(self.root, self.labelled, where)

    def without(self, done: Collection[Shard]) -> "RemoteFolder":  # noqa: ARG002
        """Itself: it has no shards."""
        return self

    def parts(self, size: int) -> Iterator[FileSource]:
        """Parts of `size` items, listed as they are asked for."""
        rest = iter(self)
        while items := tuple(islice(rest, size)):
            yield FileSource(items)
