"""Families as they are shown: cards, members, lineage, the map."""

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from indexer.errors import NotFound
from indexer.families.describe import Family, Members, describe
from indexer.index.core import Index
from indexer.store import Change, Membership


@dataclass(frozen=True, slots=True)
class Place:
    """An image on the map of the last build: coordinates within the unit circle, and what is
    known of it now. `strength` in [0, 1] is that of its `family`, 0 without one."""

    sha256: str
    x: float
    y: float
    label: str | None
    family: str | None
    source: str | None
    score: float | None
    strength: float


def cards(index: Index, generation: int | None = None) -> list[Family]:
    """Every family in force, by (size descending, id)."""
    return list(_cards(index, index.store.generation if generation is None else generation))


@lru_cache(maxsize=2)
def _cards(index: Index, at: int) -> list[Family]:
    gallery, store = index.gallery(at), index.store
    ids = store.ids(generation=at)
    columns, words = store.columns(ids, generation=at), store.families.words(ids, at)
    row = {sha256: number for number, sha256 in enumerate(columns.sha256)}
    of: defaultdict[str, list[Membership]] = defaultdict(list)
    for member in store.families.memberships(at):
        if member.family is not None and member.sha256 in row:
            of[member.family].append(member)
    members = {}
    for family, own in of.items():
        own.sort(key=lambda member: (-member.strength, member.sha256))
        rows = np.array([row[member.sha256] for member in own], np.int64)
        fakes = [
            columns.score[r] if columns.label[r] is None else float(columns.label[r] == "fake")
            for r in rows
        ]
        members[family] = Members(
            ids=[member.sha256 for member in own],
            rows=rows,
            strength=[member.strength for member in own],
            said=[words[r].family for r in rows],
            fake=fakes,
            seen=[columns.captured_at[r] for r in rows],
        )
    build = store.families.build(at)
    proposals = store.families.proposals(build.generation) if build else []
    return describe(
        members,
        gallery.descriptors(ids),
        {named.family: (named.name, named.name_from) for named in store.families.named(at)},
        {proposal.family: proposal.stability for proposal in proposals},
    )


def card(index: Index, family: str, generation: int | None = None) -> Family:
    """The family of this id or name. Raises NotFound."""
    wanted = family_id(index, family, generation)
    return next(found for found in cards(index, generation) if found.id == wanted)


def family_id(index: Index, family: str, generation: int | None = None) -> str:
    """The id of the family of this id or name. Raises NotFound."""
    named = index.store.families.named(generation)
    for found in named:
        if family in (found.family, found.name):
            return found.family
    raise NotFound(
        f"no family {family}",
        do="see: indexer families list" if named else "find some: indexer families build",
    )


def members_of(index: Index, family: str, generation: int | None = None) -> list[Membership]:
    """The members of the family of this id, strongest first, then by sha256."""
    own = [m for m in index.store.families.memberships(generation) if m.family == family]
    return sorted(own, key=lambda member: (-member.strength, member.sha256))


def lineage_of(index: Index, family: str, generation: int | None = None) -> list[Change]:
    """What became of the family of this id, oldest first."""
    changes = index.store.families.lineage(generation)
    return [change for change in changes if family in (change.before, change.after)]


def places(index: Index, generation: int | None = None) -> list[Place]:
    """The map of the last build of families. Raises NotFound before the first."""
    store = index.store
    at = store.generation if generation is None else generation
    build = store.families.build(at)
    if build is None:
        raise NotFound("no map yet", do="make one with: indexer families build")
    ids = store.ids(generation=at)
    columns = store.columns(ids, generation=at)
    live = {sha256: number for number, sha256 in enumerate(columns.sha256)}
    strength = {member.sha256: member.strength for member in store.families.memberships(at)}
    return [
        Place(
            found.sha256,
            found.x,
            found.y,
            columns.label[row],
            columns.family[row],
            columns.source[row],
            columns.score[row],
            strength.get(found.sha256, 0.0),
        )
        for found in store.families.found(build.generation)
        if (row := live.get(found.sha256)) is not None
    ]
