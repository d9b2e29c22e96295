"""A query and its answer."""

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from indexer.calibration import RISK, Calibration, Missing, verbal
from indexer.errors import UsageError
from indexer.filters import Filter
from indexer.images import Limits
from indexer.index.core import Index
from indexer.index.encoding import encode, prepare
from indexer.index.gallery import Gallery
from indexer.index.keeping import NO_PATCHES, Keeper
from indexer.index.narrowing import narrowed
from indexer.index.recording import record_query
from indexer.index.reranking import RERANKED, patch_similarity
from indexer.store import Match
from indexer.types import Encoded, Float32, Patches


@dataclass(frozen=True, slots=True)
class Query:
    """An image that is asked about, by its `taps` (taps, dim) float32 or, when it comes from
    the gallery, by its `id` there; `score` is the checkpoint's own p(fake) or None without a
    head. `patches` of a new image are what re-ranking compares."""

    sha256: str
    score: float | None
    taps: Float32 | None = None
    id: int | None = None
    patches: Patches | None = None


@dataclass(frozen=True, slots=True)
class FalseMatchRate:
    """The share of pairs of unrelated images that are at least this similar, in [0, 1].

    `upper` bounds it with 95% confidence; `text` is the form to quote.
    """

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
    """A known image that is like the query. `similarity` in [-1, 1].

    `false_match_rate` and `likelihood_ratio` are None where the gallery supports none; the
    answer's `missing` says why. `patch_similarity` in [-1, 1] is what re-ranked hits are ordered
    by, else None.
    """

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
    """A family that the query could belong to: conformal `p_value` and mean similarity to its
    nearest members."""

    family: str
    p_value: float
    affinity: float


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What is concluded, apart from the evidence, with its reason.

    `verdict` is "known family", "novel fake", "looks authentic" or "inconclusive"; `risk` the
    accepted probability of excluding the true family.
    """

    verdict: str
    reason: str
    risk: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What a search found, with the generation and checkpoint that it was computed from.

    `score` is the checkpoint's own p(fake), `probability_fake` the calibrated one at even
    priors. `families` are the candidates, most alike first. `missing` says for each figure
    that could not be given why.
    """

    query_sha256: str
    generation: int
    checkpoint: dict[str, Any]
    score: float | None
    probability_fake: float | None
    conclusion: Conclusion
    families: list[Candidate]
    hits: list[Hit]
    missing: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def query_bytes(
    index: Index,
    data: bytes,
    limits: Limits = Limits(),  # noqa: B008 frozen
    *,
    patches: bool = False,
) -> Query:
    """Encode an image that need not be in the gallery, for re-ranking with its `patches`. Raises
    ImageRejected."""
    encoder = index.encoder
    keeper = Keeper(lambda: encoder, index.patch_policy if patches else NO_PATCHES)
    prepared = prepare(encoder, data, limits, tiles=keeper.tiles)
    [encoded] = encode(encoder, [prepared])
    kept = keeper.keep(encoded.patches, prepared.tiles, encoded.facts)
    return query_encoded(replace(encoded, kept=kept))


def query_encoded(encoded: Encoded) -> Query:
    """An image that was encoded elsewhere."""
    return Query(encoded.facts.sha256, encoded.score, encoded.taps, patches=encoded.kept)


def query_stored(index: Index, digest: str, generation: int | None = None) -> Query:
    """An image of the gallery at `generation` (None: the latest) as query; needs neither its
    file nor the model. Raises NotFound."""
    image = index.store.match(digest, generation)
    return Query(sha256=digest, score=image.score, id=image.id)


def search(
    index: Index,
    query: Query,
    k: int = 10,
    *,
    where: Filter | None = None,
    generation: int | None = None,
    risk: float = RISK,
    rerank: bool = False,
    author: str = "indexer",
) -> Answer:
    """The k known images most like the query, nearest first, and what to make of them.

    `where` narrows the hits (see `indexer.filters`); a stored query never finds itself.
    Verdict and families rest on the whole gallery, whatever the filter. `rerank` orders the first
    RERANKED by how their patches match the query's. The answer is given
    once the audit chain tells durably that `author` asked. Raises UsageError on k < 1 or a bad
    risk, NotFound on an unknown generation, LineupError where the index cannot be written to.
    """
    if k < 1:
        raise UsageError(f"k is {k}", expected="at least 1")
    gallery = index.gallery(generation)
    kept = None if where is None else narrowed(index.store, gallery, where)
    descriptor = _descriptor(gallery, query)
    depth = max(k, RERANKED) if rerank else k
    ids, similarities = gallery.search(descriptor, depth + (query.id is not None), kept)
    others = ids != query.id
    ids, similarities = ids[others][:depth], similarities[others][:depth]
    shared = None
    if rerank:
        asked = query.patches if query.id is None else query.id
        shared = patch_similarity(index, asked, ids, gallery.generation)
        order = np.argsort(-shared, kind="stable")[:k]
        ids, similarities, shared = ids[order], similarities[order], shared[order]
    images = index.store.matches(ids, gallery.generation)
    calibration = gallery.derived.calibration
    verdict = gallery.judge(descriptor, query.score, risk=risk, without=query.id)
    probability = calibration.probability_fake(query.score)
    answer = Answer(
        query_sha256=query.sha256,
        generation=gallery.generation,
        checkpoint=index.checkpoint,
        score=query.score,
        probability_fake=None if isinstance(probability, Missing) else probability,
        conclusion=Conclusion(verdict.kind, verdict.reason, verdict.risk),
        families=[
            Candidate(name, verdict.evidence.p_values[name], verdict.evidence.affinity[name])
            for name in verdict.families
        ],
        hits=[
            _hit(
                image,
                float(similarities[row]),
                None if shared is None else float(shared[row]),
                calibration,
            )
            for row, image in enumerate(images)
        ],
        missing=_missing(calibration, probability),
    )
    record_query(
        index,
        author,
        answer.query_sha256,
        answer.generation,
        zip(
            (hit.sha256 for hit in answer.hits),
            (similarities if shared is None else shared).tolist(),
            strict=True,
        ),
        where=where,
        k=k,
        risk=risk,
        rerank=rerank,
        verdict=answer.conclusion.verdict,
    )
    return answer


def _descriptor(gallery: Gallery, query: Query) -> Float32:
    """(dim,), from the taps of a new image or as it stands in the gallery."""
    rows = (
        gallery.descriptors(np.array([query.id], np.int64))
        if query.taps is None
        else gallery.derived.projection.apply(query.taps[None])
    )
    descriptor: Float32 = rows[0]
    return descriptor


def _hit(image: Match, similarity: float, shared: float | None, calibration: Calibration) -> Hit:
    rate = calibration.false_match_rate(similarity)
    ratio = calibration.likelihood_ratio(similarity)
    return Hit(
        sha256=image.sha256,
        uri=image.uri,
        label=image.label,
        family=image.family,
        source=image.source,
        similarity=similarity,
        score=image.score,
        false_match_rate=None
        if isinstance(rate, Missing)
        else FalseMatchRate(rate.value, rate.high, rate.text),
        likelihood_ratio=None if isinstance(ratio, Missing) else Likelihood(ratio, verbal(ratio)),
        patch_similarity=shared,
    )


def _missing(calibration: Calibration, probability: float | Missing) -> dict[str, str]:
    figures = {
        "false_match_rate": calibration.false_match,
        "likelihood_ratio": calibration.likelihood,
        "families": calibration.conformal,
        "probability_fake": probability,
    }
    return {name: part.reason for name, part in figures.items() if isinstance(part, Missing)}
