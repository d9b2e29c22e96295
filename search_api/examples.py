"""Values that the OpenAPI document shows. Built from the real types, so they cannot drift.

None of them is None, since FastAPI leaves out what is.
"""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from indexer.index import Answer, Hit
from indexer.index.search import Candidate, Conclusion, FalseMatchRate, Likelihood

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
OTHER_SHA256 = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"

CHECKPOINT = {
    "name": "community-forensics",
    "revision": "ac6ee457bea904a373065754107451793b56db00",
    "weights_sha256": "275ba982236ddd6afddf7131f8133e89f537574b964cf8fa5825b4956d741692",
}

ANSWER = Answer(
    query_sha256=SHA256,
    generation=3,
    checkpoint=CHECKPOINT,
    score=0.97,
    probability_fake=0.91,
    conclusion=Conclusion(
        verdict="known family",
        reason="face-swap is the one family that cannot be excluded",
        risk=0.1,
    ),
    families=[Candidate(family="face-swap", p_value=0.62, affinity=0.8)],
    hits=[
        Hit(
            sha256=OTHER_SHA256,
            uri="fakes/face-swap/0412.jpg",
            label="fake",
            family="face-swap",
            source="agency",
            similarity=0.83,
            score=0.94,
            false_match_rate=FalseMatchRate(
                rate=0.0001, upper=0.0004, text="1 in 10,000 unrelated pairs (at most 1 in 2,500)"
            ),
            likelihood_ratio=Likelihood(
                log10=2.1, text="moderately strong support for the same family"
            ),
            patch_similarity=0.41,
        )
    ],
    missing={},
)


def ok(value: "DataclassInstance") -> dict[int | str, dict[str, Any]]:
    """OpenAPI's `responses` for success, by example."""
    return {200: {"content": {"application/json": {"example": asdict(value)}}}}
