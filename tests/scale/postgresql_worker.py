"""A writer or a reader of a truth at a server, for some seconds, whatever becomes of the server.

    postgresql_worker.py write|read URL NAME SECONDS

Each line that it prints is something that it was told or saw, as JSON.
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).parents[1]))

from store_samples import new_image, sha

from indexer.custody import Entry
from indexer.errors import LineupError
from indexer.store import Store
from indexer.types import Annotation

T = TypeVar("T")
GROUP = 4
"""Images that come, and go, in one commit."""


def tell(**what: object) -> None:
    print(json.dumps(what), flush=True)


def again(job: Callable[[], T]) -> T:
    """Repeat what the server's end has cut short."""
    while True:
        try:
            return job()
        except LineupError as error:
            tell(failed=type(error).__name__)
            time.sleep(0.2)


def names(author: str, group: int) -> list[str]:
    return [f"{author}/{group}/{n}" for n in range(GROUP)]


def write(store: Store, author: str, end: float) -> None:
    """Groups of images, some of which it removes, and a query after each."""

    def add(group: int) -> int:
        with store.commit("build", author) as txn:
            said = Annotation(source=author, family=str(group))
            txn.add([new_image(name, annotation=said) for name in names(author, group)])
        return txn.generation if txn.added else 0  # 0: it was there, though nobody was told

    def remove(group: int) -> None:
        with store.commit("remove", author) as txn:
            txn.remove(map(sha, names(author, group)))

    group = 0
    while time.time() < end:
        tell(added=group, generation=again(lambda: add(group)))  # noqa: B023 called at once
        if group % 5 == 4:
            tell(removing=group - 2)
            again(lambda: remove(group - 2))  # noqa: B023
            tell(removed=group - 2)
        number = time.time_ns()
        try:
            store.audit.record(Entry("query", author, {"number": number}, 0))
            tell(asked=number)
        except LineupError as error:
            tell(failed=type(error).__name__)
        group += 1


def read(store: Store, end: float) -> None:
    """Whole groups only, and the same again of a generation that was read before."""
    earlier: tuple[int, list[int]] | None = None

    def look() -> tuple[int, list[int]]:
        at = store.generation
        ids = store.ids(generation=at)
        columns = store.columns(ids, at)
        groups = Counter(zip(columns.source, columns.family, strict=True))
        if set(groups.values()) - {GROUP} or store.counts(at).images != len(ids):
            tell(broken=at)
        if earlier is not None and store.ids(generation=earlier[0]).tolist() != earlier[1]:
            tell(broken=earlier[0])
        return at, ids.tolist()

    while time.time() < end:
        earlier = again(look)
        tell(read=earlier[0])


def main() -> None:
    kind, url, author, seconds = sys.argv[1:]
    end = time.time() + float(seconds)
    with again(lambda: Store.open(url)) as store:
        if kind == "write":
            write(store, author, end)
        else:
            read(store, end)


main()
