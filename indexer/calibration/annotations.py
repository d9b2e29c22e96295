"""What is known of the images, as integer codes, and which pairs of them are related."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from indexer.errors import UsageError
from indexer.types import Int64

Bool = NDArray[np.bool_]
UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Annotations:
    """Labels of n images as codes; -1 stands for unknown everywhere.

    `fake` (n,) is 1 for fake, 0 for real. `family` (n,) indexes `families` and is known only
    for fakes (a real image has no maker to be grouped by); `source` (n,) codes the collection
    that an image came from, whatever its label.
    """

    fake: Int64
    family: Int64
    source: Int64
    families: tuple[str, ...]

    @classmethod
    def of(
        cls,
        labels: Sequence[str | None],
        families: Sequence[str | None],
        sources: Sequence[str | None],
    ) -> Self:
        """Code the annotations. Raises UsageError on unequal lengths or an unknown label."""
        if not len(labels) == len(families) == len(sources):
            raise UsageError(
                f"{len(labels)} labels, {len(families)} families, {len(sources)} sources",
                expected="one of each per image",
            )
        if unknown := sorted({str(label) for label in labels} - {"real", "fake", "None"}):
            raise UsageError(f"label {unknown[0]!r}", expected="'real', 'fake' or None")
        fake = np.array([{"fake": 1, "real": 0}.get(label or "", UNKNOWN) for label in labels], int)
        of_fakes = [name if f == 1 else None for name, f in zip(families, fake, strict=True)]
        names, family = _code(of_fakes)
        return cls(fake=fake, family=family, source=_code(sources)[1], families=names)

    def __len__(self) -> int:
        return len(self.fake)

    def take(self, rows: Int64 | Bool) -> "Annotations":
        """The annotations of some rows, under the same codes."""
        return Annotations(self.fake[rows], self.family[rows], self.source[rows], self.families)

    @property
    def group(self) -> Int64:
        """(n,) the family code, `len(families)` for reals, -1 for everything else."""
        return np.where(self.fake == 0, len(self.families), self.family)

    @property
    def cluster(self) -> Int64:
        """(n,) codes of what varies together: the fakes of a family, the reals of a source.
        An image of which that is unknown stands alone."""
        alone = len(self.families) + self.source.max(initial=-1) + 1 + np.arange(len(self))
        real = np.where(self.source != UNKNOWN, len(self.families) + self.source, alone)
        fake = np.where(self.family != UNKNOWN, self.family, alone)
        return np.select([self.fake == 1, self.fake == 0], [fake, real], alone)


@dataclass(frozen=True, slots=True)
class Relations:
    """Three boolean (N,) answers for N pairs; a pair that is neither same nor different
    (too little is known of it) takes part in nothing.

    `same`: two fakes of one family. `different`: surely not by one hand, that is two fakes of
    two families, a fake and a real, or two reals from two known sources. `cross_source`: both
    sources are known and differ.
    """

    same: Bool
    different: Bool
    cross_source: Bool
    shared_source: Bool

    @property
    def unrelated(self) -> Bool:
        """Different, and not of one source. Where a source is unknown the pair counts: it may
        share a source, which can only raise a false-match rate."""
        return self.different & ~self.shared_source


def relate(
    left: Annotations, right: Annotations, i: NDArray[np.integer], j: NDArray[np.integer]
) -> Relations:
    """The relations of the pairs (left[i], right[j]); both must share their codes."""
    known_source = (left.source[i] != UNKNOWN) & (right.source[j] != UNKNOWN)
    equal_source = left.source[i] == right.source[j]
    known_family = (left.family[i] != UNKNOWN) & (right.family[j] != UNKNOWN)
    equal_family = left.family[i] == right.family[j]
    fake_fake = (left.fake[i] == 1) & (right.fake[j] == 1)
    real_real = (left.fake[i] == 0) & (right.fake[j] == 0)
    mixed = (left.fake[i] + right.fake[j] == 1) & (left.fake[i] >= 0) & (right.fake[j] >= 0)
    return Relations(
        same=fake_fake & known_family & equal_family,
        different=mixed
        | (fake_fake & known_family & ~equal_family)
        | (real_real & known_source & ~equal_source),
        cross_source=known_source & ~equal_source,
        shared_source=known_source & equal_source,
    )


def _code(names: Sequence[str | None]) -> tuple[tuple[str, ...], Int64]:
    known = tuple(sorted({name for name in names if name is not None}))
    codes = {name: code for code, name in enumerate(known)}
    return known, np.array([UNKNOWN if name is None else codes[name] for name in names], int)
