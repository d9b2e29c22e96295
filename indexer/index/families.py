"""Families of an index: found by a build, decided upon by analysts, in force at once.

What is in force is always the fold of all decisions over the last build. It is written out
with the decision or build that changes it, in the same commit, so that the next search sees
it and every generation can be read again.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from indexer.errors import NotFound
from indexer.families.actions import Action, Decision, Label, NotFake, Undo, from_json, to_json
from indexer.families.decisions import apply, decided
from indexer.families.describe import names
from indexer.families.fold import Base, State, label_id
from indexer.families.identity import changes
from indexer.index.core import Index
from indexer.index.finding import find
from indexer.store import Found, Membership, NamedFamily, Proposal, Store, Transaction, Words

_Force = tuple[list[Membership], list[NamedFamily], list[tuple[str, str | None, str | None, int]]]
"""Memberships and families in force, and the changes (kind, before, after, images) to them."""
_Said = dict[tuple[str, str], str | None]
"""(sha256, field) -> what analysts say of it."""


@dataclass(frozen=True, slots=True)
class FamiliesBuilt:
    """What a build of families came to. `changed` is False when it found what was known."""

    generation: int
    changed: bool
    families: int
    members: int
    noise: int


def build_families(index: Index, author: str = "indexer families") -> FamiliesBuilt:
    """Find families among the images not imported as real, as a new generation.

    Labels, imported or an analyst's, are constraints. The last build is continued while the
    fit is the same; after another fit families are found anew, and keep their ids where they
    share enough images. A build that finds nothing new writes nothing.
    """
    store, gallery = index.store, index.gallery()
    at = gallery.generation
    ids = store.ids(generation=at)
    build = store.families.build(at)
    before = store.families.found(build.generation) if build else []
    same_fit = build is not None and build.fit == gallery.derived.fit
    descriptors = gallery.descriptors(ids)
    rows, proposed = find(store, at, ids, descriptors, before, same_fit)
    known = store.families.proposals(build.generation) if build else []
    changed = (before, known) != (rows, proposed) or not same_fit
    with store.commit("families", author) as txn:
        if changed:
            txn.find(at, gallery.derived.fit, rows, proposed)
        _hold(txn, store, _Kept({row.sha256: row for row in rows}, proposed))
    members = store.families.memberships()
    return FamiliesBuilt(
        generation=store.generation,
        changed=changed,
        families=len(store.families.named()),
        members=sum(member.family is not None for member in members),
        noise=sum(row.community is not None and row.family is None for row in rows),
    )


def decide(index: Index, action: Action, author: str) -> int:
    """Record a decision and what follows from it; returns its number, which is the generation.

    Raises NotFound for an image, family or decision that does not exist, UsageError for a
    decision that contradicts what analysts said.
    """
    store = index.store
    with store.undisturbed():
        while True:
            decision, force, words = _worked_out(store, action)
            with store.commit("decide", author) as txn:
                if txn.generation == decision.number:  # else another process was faster
                    txn.decide(to_json(action))
                    txn.hold(*force)
                    txn.say(words)
                    return txn.generation


def _worked_out(store: Store, action: Action) -> tuple[Decision, _Force, _Said]:
    """A decision that is the next generation, what is in force then, what analysts say then."""
    at = store.generation
    images: Sequence[str] = getattr(action, "images", ())
    if absent := sorted(set(images) - store.known(images, at)):
        raise NotFound(f"no image {absent[0]} in the index")
    ground, past = _ground(store, at, _kept(store, at)), decisions_of(store, at)
    decision = Decision(at + 1, action)
    state = decided(decision, past, ground.base)
    touched = past if isinstance(action, Undo) else [decision]
    return decision, _force(store, at, ground, state), _words(touched, state)


def settle(index: Index, author: str) -> None:
    """Give new images the families that decisions and labels say, once there are any."""
    store = index.store
    at = store.generation
    if store.families.build(at) is None and not store.families.decisions(at):
        return
    with store.commit("families", author) as txn:
        _hold(txn, store, _kept(store, txn.generation - 1))


def decisions_of(store: Store, generation: int | None = None) -> list[Decision]:
    """Every decision, oldest first."""
    return [
        Decision(d.generation, from_json(d.action)) for d in store.families.decisions(generation)
    ]


@dataclass(frozen=True, slots=True)
class _Kept:
    """What a build found: by sha256, and of each family."""

    found: dict[str, Found]
    proposals: list[Proposal]


def _kept(store: Store, at: int) -> _Kept:
    build = store.families.build(at)
    if build is None:
        return _Kept({}, [])
    rows = store.families.found(build.generation)
    return _Kept({row.sha256: row for row in rows}, store.families.proposals(build.generation))


@dataclass(frozen=True, slots=True)
class _Ground:
    """What decisions stand on: what was `kept` of a build, what is said of each image of the
    gallery, by sha256, and what both come to."""

    kept: _Kept
    words: dict[str, Words]
    base: Base


def _ground(store: Store, at: int, kept: _Kept) -> _Ground:
    words = {said.sha256: said for said in store.families.words(store.ids(generation=at), at)}
    return _Ground(kept, words, _base(words, kept))


def _base(words: Mapping[str, Words], kept: _Kept) -> Base:
    """What holds before any decision: what was found; of what is newer, what was imported."""
    votes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for sha256, said in words.items():
        row = kept.found.get(sha256)
        if said.imported is not None and row is not None and row.family is not None:
            votes[said.imported][row.family] += 1
    home = {label: min(tally, key=lambda f: (-tally[f], f)) for label, tally in votes.items()}
    family: dict[str, str] = {}
    labels: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for sha256, said in words.items():
        row = kept.found.get(sha256)
        if row is not None and row.family is not None:
            family[sha256] = row.family
        elif said.imported is not None and said.label != "real":
            family[sha256] = home.get(said.imported, label_id(said.imported))
        if sha256 in family and said.imported is not None:
            labels[family[sha256]][said.imported] += 1
    return Base(
        family,
        {f: min(tally, key=lambda name: (-tally[name], name)) for f, tally in labels.items()},
        {p.family: p.term for p in kept.proposals if p.term is not None},
    )


def _force(store: Store, at: int, ground: _Ground, state: State) -> _Force:
    """What is in force now, with the changes since generation `at`."""
    members = [
        member
        for sha256, said in sorted(ground.words.items())
        if (member := _membership(said, state, ground.kept)) is not None
    ]
    force = {member.sha256: member.family for member in members if member.family is not None}
    words_here = {image: word for image, word in state.word.items() if image in force}
    named = names(replace(state, family=force, word=words_here), ground.base)
    before = {m.sha256: m.family for m in store.families.memberships(at) if m.family is not None}
    events = changes(before, force)
    return (
        members,
        [NamedFamily(family, *named[family]) for family in sorted(named)],
        [(event.kind, event.before, event.after, event.images) for event in events],
    )


def _hold(txn: Transaction, store: Store, kept: _Kept) -> None:
    """Put in force what decisions make of a build, those included that were committed while
    this transaction waited."""
    at = txn.generation - 1
    ground = _ground(store, at, kept)
    txn.hold(*_force(store, at, ground, apply(decisions_of(store, at), ground.base)))


def _membership(words: Words, state: State, kept: _Kept) -> Membership | None:
    sha256 = words.sha256
    family, certain = state.family.get(sha256), sha256 in state.certain
    if family is None:
        return Membership(sha256, None, 0.0, True) if certain else None
    said = certain or words.imported is not None
    return Membership(sha256, family, 1.0 if said else kept.found[sha256].strength, said)


def _words(decisions: Sequence[Decision], state: State) -> _Said:
    """What analysts say of all images that these decisions labelled."""
    touched = sorted(
        {
            image
            for decision in decisions
            if isinstance(decision.action, Label | NotFake)
            for image in decision.action.images
        }
    )
    said = {(image, "label"): state.label.get(image) for image in touched}
    return said | {(image, "family"): state.word.get(image) for image in touched}
