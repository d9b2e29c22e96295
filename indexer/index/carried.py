"""Images as they go from one index to another: encodings and what is known, no generations."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final

import numpy as np

from indexer.errors import UsageError
from indexer.index.core import Index
from indexer.index.families import settle
from indexer.store import NewImage, Store
from indexer.types import Passport

TOGETHER: Final = 256
"""Images that are read, and committed, together."""
ENCODE_AGAIN: Final = "encode the images again with the checkpoint of this index"


@dataclass(frozen=True, slots=True)
class Carried:
    """An image and where else it was found."""

    image: NewImage
    uris: tuple[str, ...]


def carried(store: Store, generation: int) -> Iterator[Carried]:
    """Every image of a generation, by sha256, so that equal galleries give equal sequences.

    Its annotation is what was said last, an analyst's word before an import's; families that
    clustering found are left behind.
    """
    ids = store.ids(generation=generation)
    order = np.argsort(np.array(store.columns(ids, generation=generation).sha256), kind="stable")
    for start in range(0, len(ids), TOGETHER):
        part = ids[order[start : start + TOGETHER]]
        named = store.columns(part, generation=generation, said=True).family
        taps, patches = store.taps(part), store.patches(part)
        for image, family, row in zip(
            store.images(part, generation=generation), named, taps, strict=True
        ):
            yield Carried(
                NewImage(
                    image.facts,
                    image.uris[0],
                    replace(image.annotation, family=family),
                    image.metadata,
                    row,
                    None if image.logits is None else np.array(image.logits, np.float32),
                    image.score,
                    store.thumbnail(image.sha256, generation=generation),
                    patches.get(image.id),
                ),
                image.uris,
            )


def receiving(path: str, passport: Passport, reference: Mapping[str, Any], author: str) -> Index:
    """The index to add to, made for such encodings where there is none."""
    if Index.exists(path):
        return Index.open(path)
    return Index.create_for(path, passport, dict(reference), author)


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken over."""

    added: int
    known: int
    generation: int


def take(
    index: Index,
    images: Iterable[Carried],
    author: str,
    kind: str,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Taken:
    """Add images whose passport was checked; those that are known gain their locations and what
    is said of them. Ends with a fit or new vectors when the gallery has grown enough."""
    added = done = 0
    rest = iter(images)
    while batch := list(islice(rest, TOGETHER)):
        with index.store.commit(kind, author) as txn:
            known = index.store.known([each.image.facts.sha256 for each in batch])
            txn.add([each.image for each in batch])
            for each in batch:
                sha256 = each.image.facts.sha256
                for uri in each.uris[1:]:
                    txn.locate(sha256, uri)
                if sha256 in known:
                    txn.annotate(sha256, each.image.annotation, origin="import")
        added, done = added + txn.added, done + len(batch)
        on_progress(done)
    settle(index, author)
    index.refresh(author)
    return Taken(added, done - added, index.store.generation)


def merge(index: Index, other: Index, author: str) -> Taken:
    """Take over every image of another index with a comparable passport.

    Decisions on families stay behind, since they speak of the other index's families; what
    analysts said of single images comes as an import. Raises PassportMismatch.
    """
    index.check(other.store.passport, f"the encodings in {other.path}", ENCODE_AGAIN)
    if other.path == index.path:
        raise UsageError(f"{other.path} is the index itself", expected="another index")
    return take(index, carried(other.store, other.store.generation), author, "merge")
