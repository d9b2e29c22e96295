"""What the service answers about families; as `lineup_client.answers`."""

from dataclasses import dataclass
from typing import Any

from lineup_client.answers import Checkpoint


@dataclass(frozen=True, slots=True)
class Family:
    """A family as shown; its `exemplars` are sha256, `nearest` other families by cosine."""

    id: str
    name: str
    name_from: str
    size: int
    labelled: int
    purity: float | None
    exemplars: tuple[str, ...]
    cohesion: float | None
    nearest: tuple[tuple[str, float], ...]
    first_seen: str | None
    last_seen: str | None
    fake_share: float | None
    stability: float | None


@dataclass(frozen=True, slots=True)
class FamiliesAnswer:
    """A page of families; `next` is the cursor of the page after, None on the last."""

    generation: int
    checkpoint: Checkpoint
    total: int
    families: tuple[Family, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """`images` went from the family `before` to `after`; None is no family."""

    generation: int
    kind: str
    before: str | None
    after: str | None
    images: int


@dataclass(frozen=True, slots=True)
class FamilyAnswer:
    """A family with its lineage."""

    generation: int
    checkpoint: Checkpoint
    family: Family
    lineage: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Membership:
    """The family in force of an image; `said`: somebody's word."""

    sha256: str
    family: str | None
    strength: float
    said: bool


@dataclass(frozen=True, slots=True)
class MembersAnswer:
    """A page of members, strongest first."""

    generation: int
    checkpoint: Checkpoint
    total: int
    members: tuple[Membership, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """An image on the map: coordinates within the unit circle, and what is known of it."""

    sha256: str
    x: float
    y: float
    label: str | None
    family: str | None
    source: str | None
    score: float | None
    strength: float


@dataclass(frozen=True, slots=True)
class MapAnswer:
    """The map that the last build of families made."""

    generation: int
    checkpoint: Checkpoint
    images: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class DecisionAnswer:
    """A decision was recorded: its number, by which it can be undone, and the generation from
    which on it is in force."""

    decision: int
    generation: int


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision: who, when (UTC, ISO 8601), and what."""

    generation: int
    author: str
    at: str
    action: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DecisionsAnswer:
    """Every decision, oldest first."""

    generation: int
    checkpoint: Checkpoint
    decisions: tuple[Decided, ...]
