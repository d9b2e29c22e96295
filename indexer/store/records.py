"""The values that go into and come out of the truth."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from indexer.types import Annotation, Float16, Float32, ImageFacts, Patches


@dataclass(frozen=True, slots=True)
class NewImage:
    """An image to add.

    `taps` (taps, dim) float16, finite, as the store's passport says; `logits` (classes,)
    float32 and `score` p(fake) in [0, 1], None without a head; `metadata` JSON values
    without NaN; `thumbnail` encoded bytes; `patches` None where none are kept.
    """

    facts: ImageFacts
    uri: str
    annotation: Annotation
    metadata: Mapping[str, Any]
    taps: Float16
    logits: Float32 | None = None
    score: float | None = None
    thumbnail: bytes | None = None
    patches: Patches | None = None


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image as a generation saw it.

    `annotation` is the effective one: what an analyst said last, else what was imported
    last, else what the image came with, field by field. `uris` in the order they were
    recorded. `removed_gen` is None when the image was still there at that generation.
    """

    id: int
    sha256: str
    uris: tuple[str, ...]
    facts: ImageFacts
    annotation: Annotation
    metadata: Mapping[str, Any]
    score: float | None
    logits: tuple[float, ...] | None
    added_gen: int
    removed_gen: int | None


@dataclass(frozen=True, slots=True)
class Match:
    """What a search tells of an image, as a generation saw it; `uri` is the first one."""

    id: int
    sha256: str
    uri: str
    label: str | None
    family: str | None
    source: str | None
    score: float | None


@dataclass(frozen=True, slots=True)
class Columns:
    """Aligned columns of n images; `logits` (n, classes) float32, NaN rows where absent."""

    sha256: list[str]
    label: list[str | None]
    family: list[str | None]
    source: list[str | None]
    captured_at: list[str | None]
    score: list[float | None]
    logits: Float32


@dataclass(frozen=True, slots=True)
class Reject:
    """An input that could not be used. `reason` is a stable slug, `detail` one line."""

    uri: str
    reason: str
    detail: str
    sha256: str | None
    added_gen: int


@dataclass(frozen=True, slots=True)
class Generation:
    """A commit. `at` is UTC in ISO 8601; `added` and `removed` count images."""

    number: int
    at: str
    kind: str
    author: str
    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class Fit:
    """From `generation` on, the projection fitted on the gallery of `fitted_on` applies."""

    generation: int
    fitted_on: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is; label and family by effective annotation, "" where unknown."""

    images: int
    locations: int
    rejects: int
    by_label: dict[str, int]
    by_family: dict[str, int]


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is kept of a key of the service: enough to recognise it, not to use it.

    `digest` is sha256 of `salt` and the key's secret; `key_id` the part of the key that names
    it. `added_gen` is 0 for a key that is not stored yet.
    """

    key_id: str
    name: str
    salt: bytes
    digest: bytes
    scopes: frozenset[str]
    added_gen: int = 0


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision: the `generation` it made, who and when (UTC, ISO 8601), and what, as JSON."""

    generation: int
    author: str
    at: str
    action: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FamilyBuild:
    """Families found on the gallery of `covers`, with the descriptors of the fit of `fit`."""

    generation: int
    covers: int
    fit: int


@dataclass(frozen=True, slots=True)
class Found:
    """What a build found of an image: its `community` (None: a real image), its `family`
    (None: noise), the `strength` of that in [0, 1], and its place on the map."""

    image_id: int
    sha256: str
    community: str | None
    family: str | None
    strength: float
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """Of a family that a build found: the metadata `term` that sets it apart, if any, and its
    `stability` in [0, 1]."""

    family: str
    term: str | None
    stability: float


@dataclass(frozen=True, slots=True)
class Membership:
    """The family in force of an image, None for none; `said`: somebody's word."""

    sha256: str
    family: str | None
    strength: float
    said: bool


@dataclass(frozen=True, slots=True)
class NamedFamily:
    """A family in force; `name_from` is "analyst", "label", "metadata" or "code"."""

    family: str
    name: str
    name_from: str


@dataclass(frozen=True, slots=True)
class Change:
    """`images` went from the family `before` to `after` at `generation`; None is no family."""

    generation: int
    kind: str
    before: str | None
    after: str | None
    images: int


@dataclass(frozen=True, slots=True)
class Words:
    """Of an image: the `label` and family it was `imported` with, and the `family` that an
    analyst labelled it with, else the imported one."""

    sha256: str
    label: str | None
    imported: str | None
    family: str | None
