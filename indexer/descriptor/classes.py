"""Which images count as one class when discriminants are fitted."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from indexer.types import Int64

MIN_CLASSES = 3
MIN_PER_CLASS = 5
MAX_PER_CLASS = 500
"""More images of a class add cost and no knowledge; these are spread evenly over it."""
NO_CLASS = -1


def partitions(
    families: Sequence[str | None], labels: Sequence[str | None], sources: Sequence[str | None]
) -> tuple[Int64, Int64]:
    """Two views of n images as classes, each (n,) int64 codes with NO_CLASS for none.

    In both a fake belongs to its family. In the first a real belongs to its source, so that
    what tells sources apart is learned from reals too and not only mistaken for a family's
    mark; in the second all reals are one class, against which every family must stand out.
    A class of fewer than MIN_PER_CLASS images is none; of a larger one than MAX_PER_CLASS so
    many images count.
    """
    by_source: list[tuple[str, str] | None] = []
    merged: list[tuple[str, str] | None] = []
    for family, label, source in zip(families, labels, sources, strict=True):
        if label == "real":
            by_source.append(("real", source or ""))
            merged.append(("real", ""))
        else:
            fake = ("fake", family) if family else None
            by_source.append(fake)
            merged.append(fake)
    return _codes(by_source), _codes(merged)


def _codes(names: Sequence[tuple[str, str] | None]) -> Int64:
    rows: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for row, name in enumerate(names):
        if name is not None:
            rows[name].append(row)
    codes = np.full(len(names), NO_CLASS, np.int64)
    for code, name in enumerate(sorted(n for n in rows if len(rows[n]) >= MIN_PER_CLASS)):
        spread = np.linspace(0, len(rows[name]) - 1, min(len(rows[name]), MAX_PER_CLASS))
        codes[np.array(rows[name])[spread.astype(np.int64)]] = code
    return codes
