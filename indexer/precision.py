"""Classes of arithmetic: how far each may be from torch in fp32, and which may be compared."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the gate of `indexer.encoder.gate` holds an engine of a class to.

    `cosine` is the least allowed of any tap to the reference, `logits` the largest deviation
    of a logit, in units of the largest logit of the reference (of 1, if that is larger).
    """

    cosine: float
    logits: float


BOUNDS: Mapping[str, Bounds] = {
    "fp32": Bounds(0.99999, 0.001),
    "bf16": Bounds(0.9995, 0.05),
    "fp16": Bounds(0.9995, 0.05),
    "int8": Bounds(0.999, 0.15),
}

MIXING = 0.9995
"""Classes held to this cosine or a higher one may be compared with one another: family
retrieval in bf16 and in fp32 is the same (docs/performance.md). int8 stays with int8."""


def comparable(one: str, other: str) -> bool:
    """Whether encodings of two classes may be compared."""
    if one == other:
        return True
    return all(name in BOUNDS and BOUNDS[name].cosine >= MIXING for name in (one, other))
