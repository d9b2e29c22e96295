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
