"""What held-out images look like to the rest of the gallery: the sample all figures rest on."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from indexer.calibration.annotations import Annotations
from indexer.calibration.crossfit import HeldOut
from indexer.errors import UsageError
from indexer.types import Float32, Int64

PROBES, PARTNERS = 1_000, 1_000
"""Of every fold at most so many held-out images, in pairs with at most so many of the rest and
compared with all of the rest for their families: 5 million pairs from five folds of however
large a gallery, enough for rates down to 1 in 100,000."""
NEIGHBOURS = 5
"""Members that speak for a family: single neighbours are noisy, many blur a varied family."""
SILENT = -2.0
"""Stands for the similarity of an image that must not speak."""
BLOCK, BAND = 256, 4


@dataclass(frozen=True, slots=True)
class Comparisons:
    """Pairs (`i`, `j`, `similarity`), each (N,), `i` held out and `j` in the gallery then;
    `probes` (P,) rows that were held out and their `affinity` (P, groups) float32."""

    i: Int64
    j: Int64
    similarity: Float32
    probes: Int64
    affinity: Float32


def compare(held_out: Iterable[HeldOut], annotations: Annotations, seed: int) -> Comparisons:
    """Compare a sample of every fold's held-out rows with the rest of the gallery.

    Beyond the cap, rows are drawn so that every group (family, or the reals) is as evenly
    there as its size allows. Raises UsageError when descriptors and annotations disagree in
    number.
    """
    rng = np.random.default_rng(seed)
    groups = len(annotations.families) + 1
    none, nothing = np.empty(0, np.int64), np.empty(0, np.float32)
    parts = [Comparisons(none, none, nothing, none, np.empty((0, groups), np.float32))]
    for fold in held_out:
        if len(fold.descriptors) != len(annotations):
            raise UsageError(
                f"{len(fold.descriptors)} descriptors for {len(annotations)} annotated images"
            )
        parts += _compare_fold(fold, annotations, rng)
    return Comparisons(
        *(
            np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(Comparisons)
        )
    )


def _compare_fold(
    fold: HeldOut, annotations: Annotations, rng: np.random.Generator
) -> Iterator[Comparisons]:
    group = annotations.group
    rest = np.setdiff1d(np.arange(len(annotations)), fold.rows)
    columns = np.sort(rng.permutation(len(rest))[:PARTNERS])
    rows = fold.rows[_spread(group[fold.rows], PROBES, rng)]
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK]
        found = similarities(fold.descriptors[block], fold.descriptors[rest])
        yield Comparisons(
            i=np.repeat(block, len(columns)),
            j=np.tile(rest[columns], len(block)),
            similarity=found[:, columns].ravel(),
            probes=block,
            affinity=affinities(found, group[rest], len(annotations.families) + 1),
        )


def similarities(queries: Float32, gallery: Float32) -> Float32:
    """(m, n) float32 cosines of unit vectors (m, dim) and (n, dim), clamped to [-1, 1]."""
    return np.asarray(np.clip(queries @ gallery.T, -1, 1))


def affinities(similarity: Float32, group: NDArray[np.integer], groups: int) -> Float32:
    """(m, groups): mean similarity to the `NEIGHBOURS` most similar members of each group.

    `similarity` (m, n), `group` (n,) in -1..groups-1, -1 belongs to none. A group with fewer
    members speaks with those it has, an image whose similarity is SILENT not at all; -1 for a
    group in which nobody speaks.
    """
    sizes = np.bincount(group + 1, minlength=groups + 1)
    of, rank = np.nonzero(np.arange(NEIGHBOURS) < sizes[1:, None])
    # One sort for all groups: each has a band of numbers, in which the most similar come first.
    banded = np.sort(BAND * group - similarity.astype(np.float64), axis=1)
    nearest = np.full((len(similarity), groups, NEIGHBOURS), SILENT)
    nearest[:, of, rank] = BAND * of - banded[:, np.cumsum(sizes)[of] + rank]
    speak = nearest > SILENT
    count = speak.sum(axis=2)
    mean = np.where(speak, nearest, 0).sum(axis=2) / np.maximum(count, 1)
    return np.where(count > 0, mean, -1).astype(np.float32)


def _spread(group: Int64, cap: int, rng: np.random.Generator) -> Int64:
    """At most `cap` rows, taken round by round, one of every group per round."""
    shuffled = rng.permutation(len(group))
    ordered = shuffled[np.argsort(group[shuffled], kind="stable")]
    sizes = np.unique(group, return_counts=True)[1]
    turn = np.concatenate([np.arange(size) for size in sizes]) if len(group) else ordered
    return np.sort(ordered[np.argsort(turn, kind="stable")][:cap])
