"""What analysts decided, as an append-only sequence that is replayed over every clustering.

Clustering proposes, decisions dispose: `apply` is a pure fold of the decisions over whatever
the last build found, so nothing that an analyst said is ever overwritten, and an undo is one
more decision that takes another one out of the fold.

One law holds after every step: two images that analysts labelled with different families are
not in one family. A decision that would break it is void (`check` says so beforehand).
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from indexer.errors import NotFound, UsageError
from indexer.families.naming import code_name

Images = tuple[str, ...]
"""sha256 of images."""


@dataclass(frozen=True, slots=True)
class Label:
    """The images are `label` ("real" or "fake", None: nothing said) and belong to the family
    called `family` (None: nothing said), which is made if need be."""

    images: Images
    label: str | None = None
    family: str | None = None

    @classmethod
    def of(cls, images: Images, label: str | None, family: str | None) -> "Label":
        """With a family, images are fakes. Raises UsageError when nothing is said, or when a
        real image is given a family."""
        if label is None and family is None:
            raise UsageError("nothing is said of the images", expected="a label or a family")
        if label == "real" and family is not None:
            raise UsageError("real images of a family", expected="fakes, or no family")
        return cls(images, label or "fake", family)


@dataclass(frozen=True, slots=True)
class Reject:
    """The images do not belong to this family, whatever clustering says."""

    images: Images
    family: str


@dataclass(frozen=True, slots=True)
class Merge:
    """Members of `families`, now and after rebuilds, are members of `into`."""

    into: str
    families: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """These images of `family` are a family of their own; `split_id` tells its id."""

    family: str
    images: Images


@dataclass(frozen=True, slots=True)
class Rename:
    """The family's name from now on."""

    family: str
    name: str


@dataclass(frozen=True, slots=True)
class Pin:
    """The images belong to this family, whatever clustering says."""

    images: Images
    family: str


@dataclass(frozen=True, slots=True)
class NotFake:
    """The images are real and in no family."""

    images: Images


@dataclass(frozen=True, slots=True)
class Undo:
    """Leave out the decision with this number; an undo may itself be undone."""

    decision: int


Action = Label | Reject | Merge | Split | Rename | Pin | NotFake | Undo
KINDS: Final[dict[str, type[Action]]] = {
    "label": Label,
    "reject": Reject,
    "merge": Merge,
    "split": Split,
    "rename": Rename,
    "pin": Pin,
    "not-fake": NotFake,
    "undo": Undo,
}


@dataclass(frozen=True, slots=True)
class Decision:
    """`number` is that of the generation it made."""

    number: int
    action: Action


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


def to_json(action: Action) -> dict[str, Any]:
    """An action as plain data, with its `kind`."""
    kind = next(kind for kind, of in KINDS.items() if isinstance(action, of))
    return {"kind": kind, **asdict(action)}


def from_json(values: Mapping[str, Any]) -> Action:
    """The inverse of `to_json`."""
    fields = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in values.items()
        if key != "kind"
    }
    make: Callable[..., Action] = KINDS[values["kind"]]
    return make(**fields)


@dataclass(frozen=True, slots=True)
class Base:
    """What holds before any decision: `family` image -> family id; `labels` family id -> the
    label that most of its members were imported with; `terms` family id -> the metadata term
    that sets it apart."""

    family: Mapping[str, str]
    labels: Mapping[str, str] = field(default_factory=dict)
    terms: Mapping[str, str] = field(default_factory=dict)


def apply(decisions: Sequence[Decision], base: Base) -> State:
    """Replay the decisions, oldest first, over what clustering found."""
    fold = _Fold(base)
    for decision in active(decisions):
        fold.take(decision)
    return fold.frozen()


def check(action: Action, decisions: Sequence[Decision], base: Base) -> None:
    """Raises NotFound for an unknown family or decision, UsageError for a void decision."""
    if isinstance(action, Undo):
        if action.decision not in {past.number for past in decisions}:
            raise NotFound(f"no decision {action.decision}", do="list the decisions")
        if action.decision in _undone(decisions):
            raise UsageError(f"decision {action.decision} is undone already", do="undo its undo")
        return
    fold = _Fold(base)
    for past in active(decisions):
        fold.take(past)
    unknown = [family for family in _families(action) if family not in fold.size]
    if unknown:
        raise NotFound(f"no family {unknown[0]}", do="list the families")
    others = fold.called(action.name) if isinstance(action, Rename) else []
    if isinstance(action, Rename) and set(others) - {action.family}:
        raise UsageError(f"there is a family called {action.name}", do="merge the two")
    if reason := fold.take(Decision(0, action)):
        raise UsageError(reason, do="label the images anew or undo the decision it contradicts")


def active(decisions: Sequence[Decision]) -> list[Decision]:
    """The decisions in force, oldest first: no undo and nothing that an undo in force names."""
    undone = _undone(decisions)
    return [d for d in decisions if d.number not in undone and not isinstance(d.action, Undo)]


def _undone(decisions: Sequence[Decision]) -> set[int]:
    undone: set[int] = set()
    for decision in reversed(decisions):
        if isinstance(decision.action, Undo) and decision.number not in undone:
            undone.add(decision.action.decision)
    return undone


def split_id(decision: int) -> str:
    """The id of the family that the split with this number makes."""
    return _id(f"split {decision}")


def label_id(label: str) -> str:
    """The id of the family that is made for a label that no family bears."""
    return _id(f"label {label}")


def _id(text: str) -> str:
    return "f" + hashlib.sha256(text.encode()).hexdigest()[:10]


def _families(action: Action) -> tuple[str, ...]:
    """The families that an action names."""
    match action:
        case Reject() | Rename() | Split() | Pin():
            return (action.family,)
        case Merge():
            return (action.into, *action.families)
        case _:
            return ()


class _Fold:
    """The fold's accumulator. `size` counts the members of each family, `words` what analysts
    labelled them with."""

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
        given = sorted(family for family in self.size if self._given(family) == name)
        other = sorted(
            family
            for family in self.size
            if self._given(family) is None
            and name in (self.base.terms.get(family), code_name(family))
        )
        return [*given, *other]

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
