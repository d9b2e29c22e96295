"""Decisions replayed one by one over what clustering found.

One law holds after every step: two images that analysts labelled with different families are
not in one family. A decision that would break it is void.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from indexer.families.actions import (
    Action,
    Decision,
    Label,
    Merge,
    NotFake,
    Pin,
    Reject,
    Rename,
    Split,
    Undo,
)
from indexer.families.naming import code_name


@dataclass(frozen=True, slots=True)
class Base:
    """What holds before any decision: `family` image -> family id; `labels` family id -> the
    label that most of its members were imported with; `terms` family id -> the metadata term
    that sets it apart."""

    family: Mapping[str, str]
    labels: Mapping[str, str] = field(default_factory=dict)
    terms: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class State:
    """The families in force: what clustering found, as decided upon.

    `family` image -> family id, images in none are absent; `name` family id -> name that an
    analyst gave; `word` image -> family that an analyst labelled it with; `label` image ->
    "real" or "fake" as an analyst said; `certain` images whose family, or being in none,
    an analyst decided; `rejected` pairs of image and family.
    """

    family: Mapping[str, str]
    name: Mapping[str, str] = field(default_factory=dict)
    word: Mapping[str, str] = field(default_factory=dict)
    label: Mapping[str, str] = field(default_factory=dict)
    certain: frozenset[str] = frozenset()
    rejected: frozenset[tuple[str, str]] = frozenset()


def split_id(decision: int) -> str:
    """The id of the family that the split with this number makes."""
    return _id(f"split {decision}")


def label_id(label: str) -> str:
    """The id of the family that is made for a label that no family bears."""
    return _id(f"label {label}")


def _id(text: str) -> str:
    return "f" + hashlib.sha256(text.encode()).hexdigest()[:10]


class Fold:
    """What the decisions taken so far make of `base`.

    `size` counts the members of each family, `words` what analysts labelled them with.
    """

    def __init__(self, base: Base) -> None:
        self.base, self.family = base, dict(base.family)
        self.size = Counter(self.family.values())
        self.words: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.name: dict[str, str] = {}
        self.word: dict[str, str] = {}
        self.label: dict[str, str] = {}
        self.certain: set[str] = set()
        self.rejected: set[tuple[str, str]] = set()

    def frozen(self) -> State:
        return State(
            self.family,
            self.name,
            self.word,
            self.label,
            frozenset(self.certain),
            frozenset(self.rejected),
        )

    def called(self, name: str) -> list[str]:
        """The families that are called so, those with an analyst's or an imported name first."""
        given = {family: self._given(family) for family in self.size}
        bearers = sorted(family for family, own in given.items() if own == name)
        other = sorted(
            family
            for family, own in given.items()
            if own is None and name in (self.base.terms.get(family), code_name(family))
        )
        return [*bearers, *other]

    def touched(self, action: Action) -> set[str]:
        """The images that an action, which is no undo, can move or settle."""
        match action:
            case Merge(_, families):
                return {image for image, family in self.family.items() if family in families}
            case Rename() | Undo():
                return set()
            case _:
                return set(action.images)

    def take(self, decision: Decision) -> str:
        """Apply one decision; returns why it is void, or an empty string."""
        match decision.action:
            case Label(images, label, family):
                for image in images:
                    self._labelled(image, label, family)
            case Reject(images, family):
                for image in images:
                    self.rejected.add((image, family))
                    if self.family.get(image) == family:
                        self._leave(image)
            case Merge(into, families):
                gone = set(families) - {into}
                coming = [i for i, f in self.family.items() if f in gone]
                return self._move([i for i in coming if (i, into) not in self.rejected], into)
            case Split(family, images):
                own = [image for image in images if self.family.get(image) == family]
                if not own:
                    return f"none of the images is in family {family}"
                self.certain.update(own)
                return self._move(own, split_id(decision.number))
            case Rename(family, name):
                self.name[family] = name
            case Pin(images, family):
                if reason := self._move(images, family):
                    return reason
                for image in images:
                    self._settle(image, family)
            case NotFake(images):
                for image in images:
                    self._labelled(image, "real", None)
            case Undo():
                pass  # `active` has dealt with it
        return ""

    def _given(self, family: str) -> str | None:
        word = next(iter(self.words[family]), None) if family in self.words else None
        return self.name.get(family, word or self.base.labels.get(family))

    def _labelled(self, image: str, label: str | None, family: str | None) -> None:
        if label is not None:
            self.label[image] = label
        if label == "real":
            self._leave(image)
        elif family is not None:
            if label is None and self.label.get(image) == "real":
                del self.label[image]
            self._say(image, None)
            home = self._home(image, family)
            self._place(image, home)
            self._say(image, family)
            self._settle(image, home)

    def _home(self, image: str, name: str) -> str:
        """The family called `name`: the one so called, else where analysts' labels say so, else
        the image's own while nobody has named it, else a new one."""
        bearers = sorted(
            (family for family, tally in self.words.items() if name in tally),
            key=lambda family: (-self.words[family][name], family),
        )
        own = self.family.get(image)
        unnamed = [own] if own is not None and self._given(own) is None else []
        for family in (*self.called(name), *bearers, *unnamed):
            if not self.words[family].keys() - {name}:
                return family
        made = label_id(name)
        while self.words[made].keys() - {name}:
            made = label_id(made)
        return made

    def _leave(self, image: str) -> None:
        self._say(image, None)
        self._place(image, None)
        self.certain.add(image)

    def _settle(self, image: str, family: str) -> None:
        """An analyst said that the image belongs here: older words to the contrary are void."""
        self.certain.add(image)
        self.rejected.discard((image, family))

    def _move(self, images: Iterable[str], target: str) -> str:
        """Move images, all or none; returns which labels forbid it, or an empty string."""
        going = set(images)
        words = {self.word[image] for image in going & self.word.keys()} | set(self.words[target])
        if len(words) > 1:
            return f"images labelled {' and '.join(sorted(words))} would share a family"
        for image in going:
            self._place(image, target)
        return ""

    def _place(self, image: str, family: str | None) -> None:
        word = self.word.get(image)
        self._say(image, None)
        if (old := self.family.pop(image, None)) is not None:
            self.size[old] -= 1
            if not self.size[old]:
                del self.size[old]
        if family is not None:
            self.family[image] = family
            self.size[family] += 1
            self._say(image, word)

    def _say(self, image: str, word: str | None) -> None:
        """Record what an analyst labelled an image of a family with."""
        if (old := self.word.pop(image, None)) is not None:
            tally = self.words[self.family[image]]
            tally[old] -= 1
            if not tally[old]:
                del tally[old]
        if word is not None:
            self.word[image] = word
            self.words[self.family[image]][word] += 1
