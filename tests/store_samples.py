"""Small images and stores for the tests of the truth."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from indexer.store import NewImage
from indexer.types import Annotation, ImageFacts, Passport

PASSPORT = Passport("ab" * 32, '{"size":8}', ("3.cls", "3.mean"), 3, 4, "fp32")
UNKNOWN = Annotation()


def sha(name: object) -> str:
    return hashlib.sha256(str(name).encode()).hexdigest()


def facts(name: object) -> ImageFacts:
    return ImageFacts(sha(name), 1234, "PNG", "RGB", 64, 48, 6, False)


def taps(name: object) -> np.ndarray:
    seed = int(sha(name)[:8], 16)
    return np.random.default_rng(seed).standard_normal((2, 4)).astype(np.float16)


def new_image(
    name: object,
    uri: str | None = None,
    annotation: Annotation = UNKNOWN,
    metadata: Mapping[str, Any] | None = None,
    score: float | None = None,
    thumbnail: bytes | None = None,
    logits: np.ndarray | None = None,
) -> NewImage:
    return NewImage(
        facts(name),
        uri or f"file:///{name}",
        annotation,
        metadata or {},
        taps(name),
        logits,
        score,
        thumbnail,
    )
