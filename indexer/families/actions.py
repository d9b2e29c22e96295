"""What an analyst can decide, as values and as plain data."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from indexer.errors import UsageError

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
