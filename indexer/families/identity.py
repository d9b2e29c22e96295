"""Which family of this build is which family of the last one, and what became of the others."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy.optimize import linear_sum_assignment

Kind = Literal["continuation", "birth", "death", "split", "merge", "move"]

SAME: Final = 0.25
"""A family continues another when they share this part of both (Jaccard; new images apart)."""
PART: Final = 0.2
"""Below this share of a family, images that go elsewhere are moves, not a split or a merge."""


@dataclass(frozen=True, slots=True)
class Event:
    """`images` went from the family `before` to the family `after`.

    None is no family: noise, or an image that this gallery does not hold.

    continuation: the id lives on; birth and death: `images` is the family's size; split: a
    PART or more of `before` is now `after`, which is another family; merge: a PART or more
    of `after` came from `before`, which is another family; move: fewer. So the sizes of all
    families that live on can be reckoned from the events.
    """

    kind: Kind
    before: str | None
    after: str | None
    images: int


@dataclass(frozen=True, slots=True)
class Lineage:
    """`ids[i]` is the id of current family i; `events` are ordered and account for each change."""

    ids: tuple[str, ...]
    events: tuple[Event, ...]


def match(
    previous: Mapping[str, str],
    current: Mapping[str, int],
    born: Mapping[int, str] | None = None,
) -> Lineage:
    """Carry ids over from `previous` (image -> family id) to `current` (image -> 0..m-1).

    The pairing shares the most images in total (Hungarian method, Kuhn 1955); pairs that
    share less than SAME do not count. A family without a predecessor gets its id from `born`
    (a labelled family the id that decisions give it, `decisions.label_id`), else one made from
    its members, so equal galleries give equal ids. Images that are noise are in no mapping.
    """
    old = sorted(set(previous.values()))
    size = Counter(current.values())
    shared = Counter((previous[image], current[image]) for image in previous.keys() & current)
    overlap = np.zeros((len(old), len(size)), dtype=np.int64)
    for (before, number), images in shared.items():
        overlap[old.index(before), number] = images
    rows, columns = linear_sum_assignment(overlap, maximize=True)
    was = Counter(previous.values())
    before = np.array([was[name] for name in old], dtype=np.int64)
    either = before[rows] + overlap.sum(axis=0)[columns] - overlap[rows, columns]
    kept = overlap[rows, columns] >= np.maximum(SAME * either, 1)
    heir = {int(c): old[r] for r, c in zip(rows[kept], columns[kept], strict=True)}
    ids = tuple(
        heir.get(number) or _fresh((born or {}).get(number), members, set(heir.values()))
        for number, members in enumerate(_members(current, len(size)))
    )
    return Lineage(ids, tuple(_events(previous, current, ids, set(heir.values()))))


def new_id(members: list[str]) -> str:
    """ "f" and ten hex digits of the sha256 over the sorted members."""
    return "f" + hashlib.sha256("\n".join(sorted(members)).encode()).hexdigest()[:10]


def _fresh(wanted: str | None, members: list[str], taken: set[str]) -> str:
    return wanted if wanted is not None and wanted not in taken else new_id(members)


def _members(current: Mapping[str, int], count: int) -> list[list[str]]:
    members: list[list[str]] = [[] for _ in range(count)]
    for image, number in current.items():
        members[number].append(image)
    return members


def _events(
    previous: Mapping[str, str], current: Mapping[str, int], ids: tuple[str, ...], living: set[str]
) -> list[Event]:
    now = {image: ids[number] for image, number in current.items()}
    was, size = Counter(previous.values()), Counter(now.values())
    # Images of the previous gallery that are noise now or gone flow to None, and back.
    flows: Counter[tuple[str | None, str | None]] = Counter()
    flows.update((previous[i], now.get(i)) for i in previous)
    flows.update((None, now[i]) for i in now.keys() - previous.keys())
    events = [Event("birth", None, new, size[new]) for new in size if new not in living]
    events += [Event("death", old, None, was[old]) for old in was if old not in living]
    for (before, after), images in flows.items():
        kind: Kind = "move"
        if before == after:
            kind = "continuation"
        elif before is not None and after is not None:
            if images >= PART * was[before] and before in living:
                kind = "split"
            elif images >= PART * min(was[before], size[after]):
                kind = "merge"
        elif after not in living and before not in living:
            continue  # told by the birth or the death
        events.append(Event(kind, before, after, images))
    return sorted(events, key=lambda e: (e.kind, e.before or "", e.after or ""))
