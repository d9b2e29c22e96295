"""What analysts decided, as an append-only sequence that is replayed over every clustering.

Clustering proposes, decisions dispose: `apply` is a pure fold of the decisions over whatever
the last build found, so nothing that an analyst said is ever overwritten, and an undo is one
more decision that takes another one out of the fold.

One law holds after every step: images labelled the same are in one family, images labelled
differently are not. A decision that would break it is void (`check` says so beforehand).
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from indexer.errors import NotFound, UsageError


@dataclass(frozen=True, slots=True)
class Label:
    """The image belongs to the family that bears this label, which is made if need be."""

    image: str
    label: str


@dataclass(frozen=True, slots=True)
class Reject:
    """The image does not belong to this family, whatever clustering says."""

    image: str
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
    images: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rename:
    """The family's name from now on."""

    family: str
    name: str


@dataclass(frozen=True, slots=True)
class Pin:
    """The image belongs to this family, whatever clustering says."""

    image: str
    family: str


@dataclass(frozen=True, slots=True)
class NotFake:
    """The image is in no family and its label is gone."""

    image: str


@dataclass(frozen=True, slots=True)
class Undo:
    """Leave out the decision with this id; an undo may itself be undone."""

    decision: str


Action = Label | Reject | Merge | Split | Rename | Pin | NotFake | Undo


@dataclass(frozen=True, slots=True)
class Decision:
    """`id` is unique, `at` UTC in ISO 8601."""

    id: str
    author: str
    at: str
    action: Action


@dataclass(frozen=True, slots=True)
class Memberships:
    """The families in force: what clustering found, as decided upon.

    `family` image -> family id (noise is absent); `label` image -> family label, for images
    that are in a family; `name` family id -> name that an analyst gave; `certain` images whose
    family was decided by an analyst; `not_fake` images that are none; `rejected` pairs of
    image and family.
    """

    family: Mapping[str, str]
    label: Mapping[str, str] = field(default_factory=dict)
    name: Mapping[str, str] = field(default_factory=dict)
    certain: frozenset[str] = frozenset()
    not_fake: frozenset[str] = frozenset()
    rejected: frozenset[tuple[str, str]] = frozenset()


def apply(decisions: Sequence[Decision], clustering: Memberships) -> Memberships:
    """Replay the decisions, oldest first, over what clustering found."""
    state = _State(clustering)
    for decision in active(decisions):
        state.take(decision)
    return state.frozen()


def check(decision: Decision, decisions: Sequence[Decision], clustering: Memberships) -> None:
    """Raises NotFound for an unknown family or decision, UsageError for a void decision."""
    action = decision.action
    if any(past.id == decision.id for past in decisions):
        raise UsageError(f"a second decision with the id {decision.id}", expected="a new id")
    if isinstance(action, Undo):
        if not any(past.id == action.decision for past in decisions):
            raise NotFound(f"no decision {action.decision}", do="list the decisions")
        return
    state = _State(clustering)
    for past in active(decisions):
        state.take(past)
    known = set(state.family.values()) | set(state.name)
    unknown = [family for family in _families(action) if family not in known]
    if unknown:
        raise NotFound(f"no family {unknown[0]}", do="list the families")
    reason = state.take(decision)
    if reason:
        raise UsageError(reason, do="relabel the images or undo the decision that it contradicts")


def active(decisions: Sequence[Decision]) -> list[Decision]:
    """The decisions in force, oldest first: no undo and nothing that an undo in force names."""
    undone: set[str] = set()
    kept = []
    for decision in reversed(decisions):
        if decision.id in undone:
            continue
        if isinstance(decision.action, Undo):
            undone.add(decision.action.decision)
        else:
            kept.append(decision)
    return kept[::-1]


def split_id(decision: str) -> str:
    """The id of the family that the split with this decision id makes."""
    return "f" + hashlib.sha256(f"split {decision}".encode()).hexdigest()[:10]


def label_id(label: str) -> str:
    """The id of the family that is made for a label that no family bears."""
    return "f" + hashlib.sha256(f"label {label}".encode()).hexdigest()[:10]


def _families(action: Action) -> tuple[str, ...]:
    """The families that an action names."""
    match action:
        case Reject() | Rename() | Split() | Pin():
            return (action.family,)
        case Merge():
            return (action.into, *action.families)
        case _:
            return ()


class _State:
    """The fold's accumulator."""

    def __init__(self, start: Memberships) -> None:
        self.family, self.label = dict(start.family), dict(start.label)
        self.name, self.certain = dict(start.name), set(start.certain)
        self.not_fake, self.rejected = set(start.not_fake), set(start.rejected)
        self.bearers: dict[str, set[str]] = {}
        for image, label in self.label.items():
            self.bearers.setdefault(label, set()).add(image)

    def frozen(self) -> Memberships:
        return Memberships(
            self.family,
            self.label,
            self.name,
            frozenset(self.certain),
            frozenset(self.not_fake),
            frozenset(self.rejected),
        )

    def take(self, decision: Decision) -> str:
        """Apply one decision; returns why it is void, or an empty string."""
        match decision.action:
            case Label(image, label):
                self._labelled(image, label)
            case Reject(image, family):
                if self.label.get(image) and self.family.get(image) == family:
                    return f"image {image} is labelled {self.label[image]}, as is family {family}"
                self.rejected.add((image, family))
                if self.family.get(image) == family:
                    del self.family[image]
                    self.certain.discard(image)
            case Merge(into, families):
                gone = {family for family in families if family != into}
                coming = [i for i, f in self.family.items() if f in gone]
                return self._move([i for i in coming if (i, into) not in self.rejected], into)
            case Split(family, images):
                own = [image for image in images if self.family.get(image) == family]
                reason = self._move(own, split_id(decision.id))
                self.certain.update(own if not reason else ())
                return reason
            case Rename(family, name):
                self.name[family] = name
            case Pin(image, family):
                reason = self._move([image], family)
                if not reason:
                    self._settle(image, family)
                return reason
            case NotFake(image):
                self.not_fake.add(image)
                self.certain.discard(image)
                self._unlabel(image)
                self.family.pop(image, None)
            case Undo():
                pass  # `active` has dealt with it
        return ""

    def _labelled(self, image: str, label: str) -> None:
        """Move the image to the family of its label: where that label is, or where it may be."""
        self._unlabel(image)
        home = self._homes().get(label)
        if home is None:
            taken = set(self._homes().values())
            home = self.family.get(image, label_id(label))
            while home in taken:
                home = label_id(label if home != label_id(label) else home)
        self.label[image] = label
        self.bearers.setdefault(label, set()).add(image)
        self.family[image] = home
        self._settle(image, home)

    def _unlabel(self, image: str) -> None:
        if image in self.label:
            self.bearers[self.label.pop(image)].discard(image)

    def _homes(self) -> dict[str, str]:
        """Label -> the family that bears it."""
        return {label: self.family[next(iter(i))] for label, i in self.bearers.items() if i}

    def _settle(self, image: str, family: str) -> None:
        """An analyst said that the image belongs here: older words to the contrary are void."""
        self.certain.add(image)
        self.not_fake.discard(image)
        self.rejected.discard((image, family))

    def _move(self, images: Iterable[str], target: str) -> str:
        """Move images, all or none; returns which labels forbid it, or an empty string."""
        going = set(images)
        arriving = {self.label[image] for image in going & self.label.keys()}
        present = {label for label, home in self._homes().items() if home == target}
        if len(arriving | present) > 1:
            return (
                f"images labelled {' and '.join(sorted(arriving | present))} would share a family"
            )
        for label in arriving - present:
            if not self.bearers[label] <= going:
                return f"only some of the images labelled {label} would move to family {target}"
        self.family.update(dict.fromkeys(going, target))
        return ""
