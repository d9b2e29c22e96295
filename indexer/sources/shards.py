"""Collections in few large files: WebDataset tars and Parquet with the images inside."""

import re
import tarfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import product

from indexer.errors import ImageRejected
from indexer.filters import Filter, matches
from indexer.sources.files import check_fields, row_of
from indexer.sources.items import HeldItem
from indexer.sources.parquet_images import read_parquet_images
from indexer.sources.storage import Place
from indexer.sources.tar import read_tar
from indexer.types import Shard

SUFFIXES = (".tar", ".tar.gz", ".tgz", ".parquet")
_RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")


@dataclass(frozen=True, slots=True)
class ShardSource:
    """Shards, opened one after the other and streamed; nothing is listed ahead.

    After the last item of a shard comes the `Shard` itself, so that a later build may leave it
    out. With a filter it does not, since another filter would keep other items.
    """

    places: tuple[Place, ...]
    done: frozenset[Shard] = frozenset()
    where: Filter | None = None

    count = None

    def __iter__(self) -> Iterator[HeldItem | Shard]:
        for place in self.places:
            yield from self._shard(place)

    @property
    def name(self) -> str:
        """Every shard's URL."""
        return "\0".join(place.url for place in self.places)

    def select(self, where: Filter) -> "ShardSource":
        """As `FileSource.select`."""
        check_fields(where)
        return replace(self, where=where)

    def without(self, done: Collection[Shard]) -> "ShardSource":
        """Without the shards that were read to their end and have not changed since."""
        return replace(self, done=self.done | frozenset(done))

    def parts(self, size: int) -> Iterator["ShardSource"]:  # noqa: ARG002
        """One shard each, however many images it holds."""
        done = {shard.uri: shard for shard in self.done}
        for place in self.places:
            own = {done[place.url]} if place.url in done else ()
            yield replace(self, places=(place,), done=frozenset(own))

    def _shard(self, place: Place) -> Iterator[HeldItem | Shard]:
        last = "its beginning"
        try:
            shard = Shard(place.url, place.version())
            if shard in self.done:
                return
            with place.open() as file:
                read = read_parquet_images if place.path.endswith(".parquet") else read_tar
                for item in read(file, place.url):
                    last = item.uri
                    if self.where is None or matches(self.where, row_of(item)):
                        yield item
        except (OSError, tarfile.TarError, EOFError) as error:
            yield HeldItem(place.url, _broken(place.url, last, error))
            return
        if self.where is None:
            yield shard


def expand(url: str) -> list[str]:
    """`shard-{000..012}.tar` -> its thirteen names; ranges keep their width."""
    pieces = _RANGE.split(url)
    texts, bounds = pieces[::3], list(zip(pieces[1::3], pieces[2::3], strict=True))
    numbers = [[str(n).zfill(len(a)) for n in range(int(a), int(b) + 1)] for a, b in bounds]
    return [
        "".join(text + number for text, number in zip(texts, [*chosen, ""], strict=True))
        for chosen in product(*numbers)
    ]


def _broken(url: str, last: str, error: Exception) -> ImageRejected:
    if isinstance(error, FileNotFoundError):
        return ImageRejected("missing", f"no file at {url}", do="correct the name of the shard")
    return ImageRejected(
        "unreadable",
        f"the shard cannot be read after {last}: {error}",
        do="restore it and build again; what came before is indexed",
    )
