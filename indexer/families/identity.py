"""Which family of this build is which family of the last one, and what became of the others."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

Kind = Literal["birth", "death", "split", "merge", "move"]

SAME: Final = 0.25
"""A family continues another when they share this part of both (Jaccard; new images apart)."""
PART: Final = 0.2
"""Below this share of a family, images that go elsewhere are moves, not a split or a merge."""


@dataclass(frozen=True, slots=True)
class Event:
    """`images` went from the family `before` to the family `after`; None is no family.

    birth and death: `images` is the family's size; split: a PART or more of `before`, which
    lives on, is now `after`; merge: a PART or more of one of the two went from `before` to
    `after`; move: fewer. Images that stayed are in no event, so with the sizes before, the
    sizes after can be reckoned from the events.
    """

    kind: Kind
    before: str | None
    after: str | None
    images: int


def match(
    previous: Mapping[str, str], current: Mapping[str, int], born: Mapping[int, str] | None = None
) -> tuple[str, ...]:
    """The id of each current family: ids carry over from `previous` (image -> family id) to
    `current` (image -> 0..m-1).

    The pairing shares the most images in total (Hungarian method, Kuhn 1955); pairs that
    share less than SAME do not count. A family without a predecessor gets its id from `born`,
    such as the one that belongs to its label, else one made from its members, so equal
    galleries give equal ids. Images that are in no family are in no mapping.
    """
    members: dict[int, list[str]] = {}
    for image, number in current.items():
        members.setdefault(number, []).append(image)
    shared = Counter((previous[image], current[image]) for image in previous.keys() & current)
    was = Counter(previous.values())
    stayed = Counter(number for _, number in shared.elements())
    heir: dict[int, str] = {}
    for old, number in pairing(shared):
        both = shared[old, number]
        if both >= SAME * (was[old] + stayed[number] - both):
            heir[number] = old
    taken = set(heir.values())
    ids = []
    for number in range(len(members)):
        wanted = (born or {}).get(number)
        fresh = wanted if wanted is not None and wanted not in taken else new_id(members[number])
        ids.append(heir.get(number, fresh))
    return tuple(ids)


def new_id(members: Sequence[str]) -> str:
    """ "f" and ten hex digits of the sha256 over the sorted members."""
    return "f" + hashlib.sha256("\n".join(sorted(members)).encode()).hexdigest()[:10]


def pairing(shared: Mapping[tuple[str, int], int]) -> Iterator[tuple[str, int]]:
    """The Hungarian pairing, found within each set of families that share images at all."""
    if not shared:
        return
    old = sorted({name for name, _ in shared})
    new = sorted({number for _, number in shared})
    row = {name: place for place, name in enumerate(old)}
    column = {number: place for place, number in enumerate(new)}
    rows = [row[name] for name, _ in shared]
    columns = [len(old) + column[number] for _, number in shared]
    size = len(old) + len(new)
    links = csr_array((np.ones(len(rows)), (rows, columns)), shape=(size, size))
    count, piece = connected_components(links, directed=False)
    parts: list[list[tuple[str, int]]] = [[] for _ in range(count)]
    for pair in sorted(shared):
        parts[piece[row[pair[0]]]].append(pair)
    for part in parts:
        olds, news = sorted({name for name, _ in part}), sorted({number for _, number in part})
        overlap = np.zeros((len(olds), len(news)), dtype=np.int64)
        for name, number in part:
            overlap[olds.index(name), news.index(number)] = shared[name, number]
        for i, j in zip(*linear_sum_assignment(overlap, maximize=True), strict=True):
            yield olds[i], news[j]


def changes(
    before: Mapping[str, str],
    after: Mapping[str, str],
    others: Mapping[str, int] = MappingProxyType({}),
) -> list[Event]:
    """What became of each family, from `before` to `after` (image -> family id), in order.

    Images that stay in their family may be left out of both; `others` counts them, by family.
    """
    was = Counter(before.values()) + Counter(others)
    size = Counter(after.values()) + Counter(others)
    events = [Event("birth", None, new, size[new]) for new in size.keys() - was.keys()]
    events += [Event("death", old, None, was[old]) for old in was.keys() - size.keys()]
    flows: Counter[tuple[str | None, str | None]] = Counter()
    flows.update((family, after.get(image)) for image, family in before.items())
    flows.update((None, after[image]) for image in after.keys() - before.keys())
    for (old, new), images in flows.items():
        if old == new or (old is None and new not in was) or (new is None and old not in size):
            continue  # nothing happened, or the birth or the death tells it
        kind: Kind = "move"
        if old is not None and new is not None:
            if images >= PART * was[old] and old in size:
                kind = "split"
            elif images >= PART * min(was[old], size[new]):
                kind = "merge"
        events.append(Event(kind, old, new, images))
    return sorted(events, key=lambda e: (e.kind, e.before or "", e.after or ""))
