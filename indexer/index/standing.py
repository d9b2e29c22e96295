"""What is in force of families: the fold of all decisions over what the last build found.

It is kept between the decisions of one process, so that each costs what it touches and not
all that was found and decided before.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from indexer.families.actions import Decision, from_json
from indexer.families.describe import names
from indexer.families.fold import Base, Fold, label_id
from indexer.store import Found, Membership, NamedFamily, Proposal, Store, Words


@dataclass(frozen=True, slots=True)
class Kept:
    """What a build found: by sha256, and of each family."""

    found: Mapping[str, Found]
    proposals: Sequence[Proposal]


@dataclass(frozen=True, slots=True)
class Standing:
    """At `generation`, what the `fold` of the decisions makes of what was `kept` of a build;
    `family` is image -> family id, of the images that are there."""

    generation: int
    kept: Kept
    fold: Fold
    family: Mapping[str, str]


def kept_of(store: Store, at: int) -> Kept:
    """What the last build found."""
    build = store.families.build(at)
    if build is None:
        return Kept({}, [])
    rows = store.families.found(build.generation)
    return Kept({row.sha256: row for row in rows}, store.families.proposals(build.generation))


def decisions_of(store: Store, generation: int | None = None) -> list[Decision]:
    """Every decision, oldest first."""
    return [
        Decision(d.generation, from_json(d.action)) for d in store.families.decisions(generation)
    ]


def holds(store: Store, standing: Standing, at: int) -> bool:
    """Whether it is still in force at a later generation: nothing came since but images that
    neither an import, a build nor an analyst has put into a family."""
    if standing.generation == at:
        return True
    came, went = store.changes(standing.generation, at)
    if len(went) or store.families.unsettled(standing.generation, at):
        return False
    found, fold = standing.kept.found, standing.fold
    return not any(
        _imported(said)
        or said.sha256 in found
        or said.sha256 in fold.family
        or said.sha256 in fold.certain
        for said in store.families.words(came, at)
    )


def base_of(words: Iterable[Words], kept: Kept) -> Base:
    """What holds before any decision: what was found; of what is newer, what was imported."""
    words = list(words)
    votes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for said in words:
        row = kept.found.get(said.sha256)
        if said.imported is not None and row is not None and row.family is not None:
            votes[said.imported][row.family] += 1
    home = {label: min(tally, key=lambda f: (-tally[f], f)) for label, tally in votes.items()}
    family: dict[str, str] = {}
    labels: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for said in words:
        row = kept.found.get(said.sha256)
        if row is not None and row.family is not None:
            family[said.sha256] = row.family
        elif _imported(said):
            label = str(said.imported)
            family[said.sha256] = home.get(label, label_id(label))
        if said.sha256 in family and said.imported is not None:
            labels[family[said.sha256]][said.imported] += 1
    return Base(
        family,
        {f: min(tally, key=lambda name: (-tally[name], name)) for f, tally in labels.items()},
        {p.family: p.term for p in kept.proposals if p.term is not None},
    )


def members_of(words: Iterable[Words], fold: Fold, kept: Kept) -> list[Membership]:
    """What is in force of these images, where anything is."""
    found = (_membership(said, fold, kept) for said in words)
    return [member for member in found if member is not None]


def named_of(family: Mapping[str, str], fold: Fold) -> list[NamedFamily]:
    """The families that images are in, `family` image -> family id, with their names, by id."""
    words = {image: word for image, word in fold.word.items() if image in family}
    named = names(replace(fold.frozen(), family=family, word=words), fold.base)
    return [NamedFamily(own, *named[own]) for own in sorted(named)]


def _imported(said: Words) -> bool:
    """Whether a family is known of the image, before any build and decision."""
    return said.imported is not None and said.label != "real"


def _membership(said: Words, fold: Fold, kept: Kept) -> Membership | None:
    sha256 = said.sha256
    family, certain = fold.family.get(sha256), sha256 in fold.certain
    if family is None:
        return Membership(sha256, None, 0.0, True) if certain else None
    sure = certain or said.imported is not None
    return Membership(sha256, family, 1.0 if sure else kept.found[sha256].strength, sure)
