"""All figures that tell how far a result can be trusted, fitted on one gallery."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from indexer.calibration.annotations import Annotations, relate
from indexer.calibration.comparisons import affinities, compare
from indexer.calibration.conformal import FamilyConformal, Typicalities, fit_conformal
from indexer.calibration.crossfit import HeldOut
from indexer.calibration.estimate import Estimate, Missing
from indexer.calibration.false_match import FalseMatch, fit_false_match
from indexer.calibration.familiarity import Familiarity, fit_familiarity
from indexer.calibration.likelihood import LikelihoodRatio, Quality, fit_likelihood_ratio
from indexer.calibration.score import OperatingPoint, ScoreCalibration, fit_score
from indexer.calibration.verdict import RISK, Evidence, Verdict, conclude
from indexer.errors import IndexDamaged, UsageError
from indexer.types import Float32

VERSION = 2
ALARM_RATE = 0.05


@dataclass(frozen=True, slots=True)
class Calibration:
    """Fitted on `images` images; every part stands, or says why it is missing."""

    images: int
    false_match: FalseMatch | Missing
    likelihood: LikelihoodRatio | Missing
    score: ScoreCalibration | Missing
    conformal: FamilyConformal | Missing
    familiarity: Familiarity | Missing

    def false_match_rate(self, similarity: float) -> Estimate | Missing:
        """Share of pairs of unrelated images of the gallery at least this similar."""
        if isinstance(self.false_match, Missing):
            return self.false_match
        return self.false_match.at(similarity)

    def likelihood_ratio(self, similarity: float) -> float | Missing:
        """log10 of the likelihood ratio same family : different family; `verbal` words it."""
        if isinstance(self.likelihood, Missing):
            return self.likelihood
        return self.likelihood.at(similarity)

    def probability_fake(self, score: float | None) -> float | Missing:
        """p(fake) at even priors from the checkpoint's score in [0, 1]."""
        if isinstance(self.score, Missing):
            return self.score
        return Missing("the image has no score") if score is None else self.score.probability(score)

    def alarm(self, score: float | None) -> bool | None:
        """Whether the score reaches its 5% false-alarm threshold; None without one."""
        if isinstance(self.score, Missing) or score is None:
            return None
        point = self.score.point(ALARM_RATE)
        return None if point is None else score >= point.threshold

    def verdict(
        self,
        similarities: Float32,
        gallery: Annotations,
        score: float | None,
        *,
        risk: float = RISK,
    ) -> Verdict:
        """Judge a query by its `similarities` (n,) to all n images of the annotated gallery,
        SILENT for one that must not speak.

        `score` is the checkpoint's p(fake), None without a head; `risk` in (0, 1) the
        accepted probability of excluding the true family. Raises UsageError for another risk.
        """
        if not 0 < risk < 1:
            raise UsageError(f"risk {risk}", expected="a probability between 0 and 1")
        names = gallery.families
        affinity = affinities(similarities[None], gallery.group, len(names) + 1)[0]
        probability = self.probability_fake(score)
        conformal = None if isinstance(self.conformal, Missing) else self.conformal
        evidence = Evidence(
            p_values=conformal.p_values(names, affinity) if conformal else {},
            affinity=dict(zip(names, affinity.tolist(), strict=False)),  # without the reals
            p_known=(
                None
                if isinstance(self.familiarity, Missing)
                else self.familiarity.p_known(names, affinity)
            ),
            p_real=conformal.p_real(affinity) if conformal else None,
            nearest_is_real=bool(affinity.argmax() == len(names)),
            alarm=self.alarm(score),
            probability_fake=None if isinstance(probability, Missing) else probability,
        )
        return conclude(evidence, risk)

    def to_json(self) -> str:
        """One JSON object; a part that is missing is {"reason": ...}."""
        return json.dumps({"version": VERSION, **asdict(self)}, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`. Raises IndexDamaged for another version."""
        fields = json.loads(text)
        if (version := fields.pop("version", None)) != VERSION:
            raise IndexDamaged(
                f"calibration of version {version}", expected=f"{VERSION}", do="run indexer fit"
            )
        return cls(
            images=fields["images"],
            false_match=_missing(fields["false_match"])
            or FalseMatch(**_tuples(fields["false_match"])),
            likelihood=_missing(fields["likelihood"]) or _likelihood(fields["likelihood"]),
            score=_missing(fields["score"]) or _score(fields["score"]),
            conformal=_missing(fields["conformal"]) or _conformal(fields["conformal"]),
            familiarity=_missing(fields["familiarity"]) or _familiarity(fields["familiarity"]),
        )


def fit_calibration(
    held_out: Iterable[HeldOut],
    labels: Sequence[str | None],
    families: Sequence[str | None],
    sources: Sequence[str | None],
    scores: Float32 | None,
    *,
    operating_points: Sequence[OperatingPoint] = (),
    seed: int = 0,
) -> Calibration:
    """Fit every part that the gallery of n images supports; no gallery makes it fail.

    `held_out` are descriptors as a query would meet them (`cross_fit`); `labels` ("real",
    "fake" or None), `families` and `sources` say what is known of each image; `scores` (n,)
    float32 are the checkpoint's p(fake), NaN where there is none; `operating_points` are
    those known of the checkpoint, used where the gallery has too few real images.
    """
    annotations = Annotations.of(labels, families, sources)
    comparisons = compare(held_out, annotations, seed)
    i, j, similarity = comparisons.i, comparisons.j, comparisons.similarity
    unrelated = relate(annotations, annotations, i, j).unrelated
    return Calibration(
        images=len(annotations),
        false_match=fit_false_match(
            i[unrelated], j[unrelated], similarity[unrelated], annotations.cluster
        ),
        likelihood=fit_likelihood_ratio(annotations, i, j, similarity, seed),
        score=fit_score(annotations, scores, operating_points),
        conformal=fit_conformal(annotations, comparisons),
        familiarity=fit_familiarity(annotations, comparisons),
    )


def _missing(part: Mapping[str, Any]) -> Missing | None:
    return Missing(part["reason"]) if set(part) == {"reason"} else None


def _tuples(part: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in part.items()}


def _likelihood(part: Mapping[str, Any]) -> LikelihoodRatio:
    quality = Quality(**part["quality"]) if part["quality"] else None
    return LikelihoodRatio(**{**_tuples(part), "quality": quality})


def _score(part: Mapping[str, Any]) -> ScoreCalibration:
    return ScoreCalibration(
        **{**part, "points": tuple(OperatingPoint(**point) for point in part["points"])}
    )


def _conformal(part: Mapping[str, Any]) -> FamilyConformal:
    return FamilyConformal(
        families=tuple(Typicalities(**_tuples(scale)) for scale in part["families"]),
        pooled=Typicalities(**_tuples(part["pooled"])),
        real=Typicalities(**_tuples(part["real"])) if part["real"] else None,
    )


def _familiarity(part: Mapping[str, Any]) -> Familiarity:
    return Familiarity(
        names=tuple(part["names"]),
        usual=tuple(part["usual"]),
        members=Typicalities(**_tuples(part["members"])),
    )
