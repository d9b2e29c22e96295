"""Families of an index: found by a build, decided upon by analysts, in force at once.

What is in force is always the fold of all decisions over the last build. It is written out
with the decision or build that changes it, in the same commit, so that the next search sees
it and every generation can be read again.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from indexer.errors import NotFound
from indexer.families.actions import Action, Decision, Label, NotFake, Undo, to_json
from indexer.families.decisions import decided, replayed, take
from indexer.families.fold import Fold
from indexer.families.identity import changes
from indexer.index.core import Index
from indexer.index.finding import find
from indexer.index.standing import (
    Kept,
    Standing,
    base_of,
    decisions_of,
    holds,
    kept_of,
    members_of,
    named_of,
)
from indexer.store import Membership, NamedFamily, Store, Transaction, Words

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
        _hold(txn, store, Kept({row.sha256: row for row in rows}, proposed))
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
            outcome = _worked_out(index, action)
            number = outcome.standing.generation
            with store.commit("decide", author) as txn:
                first = txn.generation == number  # else another process was faster
                if first:
                    txn.decide(to_json(action))
                    txn.hold(*outcome.force, outcome.among)
                    txn.say(outcome.words)
            if first:
                index.standing = outcome.standing
                return number


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a decision comes to: what is in force then, of the images `among` these (None: of
    all), what analysts say then, and the `standing` of the generation that it makes."""

    standing: Standing
    force: _Force
    among: set[str] | None
    words: _Said


def _worked_out(index: Index, action: Action) -> _Outcome:
    store = index.store
    at = store.generation
    images: Sequence[str] = getattr(action, "images", ())
    if absent := sorted(set(images) - store.known(images, at)):
        raise NotFound(f"no image {absent[0]} in the index")
    decision = Decision(at + 1, action)
    standing, index.standing = index.standing, None  # the fold is changed, for good or in vain
    if standing is None or isinstance(action, Undo) or not holds(store, standing, at):
        return _replayed(store, decision)
    return _taken(store, decision, standing)


def _replayed(store: Store, decision: Decision) -> _Outcome:
    """From all that was decided before."""
    at = decision.number - 1
    past, kept, words = decisions_of(store, at), kept_of(store, at), _all_words(store, at)
    fold = decided(decision, past, base_of(words, kept))
    standing, force = _anew(store, decision.number, words, fold, kept)
    touched = past if isinstance(decision.action, Undo) else [decision]
    return _Outcome(standing, force, None, _words(touched, fold))


def _taken(store: Store, decision: Decision, standing: Standing) -> _Outcome:
    """From what was in force before."""
    fold, kept = standing.fold, standing.kept
    among = fold.touched(decision.action)
    take(fold, decision)
    members = members_of(store.families.words_of(among, decision.number - 1), fold, kept)
    before = {image: standing.family[image] for image in among & standing.family.keys()}
    others = Counter(standing.family.values())
    others.subtract(before.values())
    after = _families(members)
    family = {i: f for i, f in standing.family.items() if i not in among} | after
    now = Standing(decision.number, kept, fold, family)
    return _Outcome(
        now, _force(members, now, before, after, others), among, _words([decision], fold)
    )


def settle(index: Index, author: str) -> None:
    """Give new images the families that decisions and labels say, once there are any."""
    store = index.store
    at = store.generation
    if store.families.build(at) is None and not store.families.decisions(at):
        return
    with store.commit("families", author) as txn:
        _hold(txn, store, kept_of(store, txn.generation - 1))


def _hold(txn: Transaction, store: Store, kept: Kept) -> None:
    """Put in force what decisions make of a build, those included that were committed while
    this transaction waited."""
    at = txn.generation - 1
    words = _all_words(store, at)
    fold = replayed(decisions_of(store, at), base_of(words, kept))
    _, force = _anew(store, txn.generation, words, fold, kept)
    txn.hold(*force)


def _anew(
    store: Store, number: int, words: Sequence[Words], fold: Fold, kept: Kept
) -> tuple[Standing, _Force]:
    """What a fold leaves in force of all images from generation `number` on."""
    members = members_of(words, fold, kept)
    family = _families(members)
    standing = Standing(number, kept, fold, family)
    before = _families(store.families.memberships(number - 1))
    return standing, _force(members, standing, before, family)


def _force(
    members: list[Membership],
    standing: Standing,
    before: Mapping[str, str],
    after: Mapping[str, str],
    others: Mapping[str, int] = MappingProxyType({}),
) -> _Force:
    events = changes(before, after, others)
    return (
        members,
        named_of(standing.family, standing.fold),
        [(event.kind, event.before, event.after, event.images) for event in events],
    )


def _all_words(store: Store, at: int) -> list[Words]:
    return store.families.words(store.ids(generation=at), at)


def _families(members: Iterable[Membership]) -> dict[str, str]:
    return {member.sha256: member.family for member in members if member.family is not None}


def _words(decisions: Sequence[Decision], fold: Fold) -> _Said:
    """What analysts say of all images that these decisions labelled."""
    touched = sorted(
        {
            image
            for decision in decisions
            if isinstance(decision.action, Label | NotFake)
            for image in decision.action.images
        }
    )
    said = {(image, "label"): fold.label.get(image) for image in touched}
    return said | {(image, "family"): fold.word.get(image) for image in touched}
