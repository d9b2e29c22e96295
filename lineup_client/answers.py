"""What the service answers. Fields and their names are those of its OpenAPI document, and
`tests/api/test_client.py` holds them to it; a field that is new in the service is ignored.
"""

from dataclasses import dataclass
from typing import Any, Literal

from lineup_client.problem import Problem

Checkpoint = dict[str, Any]
"""What made the encodings: name, revision and weights_sha256."""


@dataclass(frozen=True, slots=True)
class FalseMatchRate:
    """The share of pairs of unrelated images that are at least this similar, in [0, 1]; `upper`
    bounds it with 95% confidence, `text` is the form to quote."""

    rate: float
    upper: float
    text: str


@dataclass(frozen=True, slots=True)
class Likelihood:
    """Same family against different family: `log10` of the ratio, and in words."""

    log10: float
    text: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A known image that is like the query; `similarity` in [-1, 1], `patch_similarity` where
    the hits were re-ranked by it."""

    sha256: str
    uri: str
    label: str | None
    family: str | None
    source: str | None
    similarity: float
    score: float | None
    false_match_rate: FalseMatchRate | None
    likelihood_ratio: Likelihood | None
    patch_similarity: float | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A family that the query could belong to: conformal p-value, mean similarity."""

    family: str
    p_value: float
    affinity: float


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What is concluded, apart from the evidence, with its reason."""

    verdict: str
    reason: str
    risk: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What a search found. `score` is the checkpoint's own p(fake), `probability_fake` the
    calibrated one; `missing` says for each figure that could not be given why."""

    query_sha256: str
    generation: int
    checkpoint: Checkpoint
    score: float | None
    probability_fake: float | None
    conclusion: Conclusion
    families: tuple[Candidate, ...]
    hits: tuple[Hit, ...]
    missing: dict[str, str]


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle in pixels of the upright image; `x`, `y` is its left upper corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class RegionHit:
    """A known image that shows the region, at `region`: how well it agrees in [0, 1], mean
    similarity in [-1, 1], and the share of images that agree as well by chance."""

    sha256: str
    uri: str
    label: str | None
    family: str | None
    source: str | None
    score: float | None
    agreement: float
    similarity: float
    by_chance: float
    region: Region


@dataclass(frozen=True, slots=True)
class RegionAnswer:
    """What a search by region found; `patches` says how many of its patches were compared."""

    query_sha256: str
    generation: int
    checkpoint: Checkpoint
    region: Region
    patches: int
    hits: tuple[RegionHit, ...]


@dataclass(frozen=True, slots=True)
class BatchLine:
    """The outcome of one image of a batch: its position, the name of its file or its id, and
    either the answer or why there is none."""

    position: int
    name: str
    answer: Answer | None = None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What is known of an image from its bytes alone."""

    sha256: str
    bytes: int
    format: str
    mode: str
    width: int
    height: int
    orientation: int
    animated: bool


@dataclass(frozen=True, slots=True)
class Annotation:
    """What somebody says about an image; None is unknown."""

    label: str | None = None
    family: str | None = None
    source: str | None = None
    captured_at: str | None = None


@dataclass(frozen=True, slots=True)
class ImageAnswer:
    """An indexed image as a generation saw it."""

    generation: int
    checkpoint: Checkpoint
    sha256: str
    uris: tuple[str, ...]
    facts: ImageFacts
    annotation: Annotation
    metadata: dict[str, Any]
    score: float | None
    added_gen: int


@dataclass(frozen=True, slots=True)
class Ingested:
    """The image is in the gallery from `generation` on; `added` is False when it was before."""

    sha256: str
    generation: int
    added: bool


@dataclass(frozen=True, slots=True)
class Removed:
    """From `generation` on, the image is not in the gallery."""

    sha256: str
    generation: int


@dataclass(frozen=True, slots=True)
class Labelled:
    """So many `images` were labelled; searches know it from `generation` on."""

    generation: int
    images: int


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """What a `share` of the patches changes when a map's strongest are greyed out, and the mean of
    as many in `draws` random choices; `p_value`: how often chance does at least as well."""

    share: float
    effect: float
    by_chance: float
    draws: int
    p_value: float


@dataclass(frozen=True, slots=True)
class MapsAnswer:
    """One picture of maps of one kind: a PNG in base64, what it shows, sentences to show beside
    it, and how each map compares with chance, or why it could not be compared."""

    generation: int
    checkpoint: Checkpoint
    kind: Literal["match", "fake"]
    query_sha256: str
    other_sha256: str | None
    picture: str
    alt: str
    says: tuple[str, ...]
    faithfulness: dict[str, Faithfulness]
    missing: dict[str, str]


@dataclass(frozen=True, slots=True)
class Live:
    """The process answers."""

    status: Literal["live"]


@dataclass(frozen=True, slots=True)
class Ready:
    """Searches are answered, from this generation and checkpoint."""

    status: Literal["ready"]
    generation: int
    checkpoint: Checkpoint
