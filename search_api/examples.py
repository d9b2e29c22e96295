"""Values that the OpenAPI document shows. Built from the real types, so they cannot drift."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from indexer.index import Answer, Hit

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
OTHER_SHA256 = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"

CHECKPOINT = {
    "ref": "community-forensics",
    "revision": "ac6ee457bea904a373065754107451793b56db00",
    "weights_sha256": "275ba982236ddd6afddf7131f8133e89f537574b964cf8fa5825b4956d741692",
}

ANSWER = Answer(
    query_sha256=SHA256,
    generation=3,
    checkpoint=CHECKPOINT,
    score=0.97,
    hits=[
        Hit(
            sha256=OTHER_SHA256,
            uri="fakes/face-swap/0412.jpg",
            label="fake",
            family="face-swap",
            source="agency",
            similarity=0.83,
            score=0.94,
        )
    ],
)


def ok(value: "DataclassInstance") -> dict[int | str, dict[str, Any]]:
    """OpenAPI's `responses` for success, by example."""
    return {200: {"content": {"application/json": {"example": asdict(value)}}}}
