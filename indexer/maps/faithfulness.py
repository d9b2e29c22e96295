"""Is a map better than chance? Grey out its strongest patches, and as many at random.

Deletion and insertion (Petsiuk et al. 2018), at one share instead of a curve: each step costs
as many encodings as there are random draws.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from indexer.types import Bool, Float32

DRAWS: Final = 24
"""An effect that no random draw reaches has p = 1 / 25."""
CHANCE: Final = 0.05
"""A map with a larger p-value is no better than chance."""


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """`effect` is what the map's strongest patches change, a `share` of all; `by_chance` the
    mean of `draws` random choices of as many, `p_value` how often chance does at least as well."""

    share: float
    effect: float
    by_chance: float
    draws: int
    p_value: float

    @property
    def better(self) -> bool:
        """Whether the map is better than chance."""
        return self.p_value <= CHANCE


def strongest(values: Float32, share: float) -> Bool:
    """The mask of the `share` of patches with the highest values (rows, columns), at least one;
    of equal ones the first."""
    mask = np.zeros(values.size, bool)
    mask[np.argsort(-values, axis=None, kind="stable")[: _count(values.size, share)]] = True
    return mask.reshape(values.shape)


def at_random(grid: tuple[int, int], share: float, draws: int = DRAWS) -> Bool:
    """(draws, rows, columns): as many patches as `strongest` takes, the same at every call."""
    rng, size = np.random.default_rng(0), grid[0] * grid[1]
    masks = np.zeros((draws, size), bool)
    for mask in masks:
        mask[rng.permutation(size)[: _count(size, share)]] = True
    return masks.reshape(draws, *grid)


def judge(share: float, effect: float, by_chance: Float32) -> Faithfulness:
    """A permutation test: `by_chance` (draws,) are the effects of random patches. The p-value
    counts the map as one of the draws, so that it is never 0 (Phipson & Smyth 2010)."""
    draws = len(by_chance)
    p_value = (1 + int((by_chance >= effect).sum())) / (1 + draws)
    return Faithfulness(share, float(effect), float(by_chance.mean()), draws, p_value)


def _count(size: int, share: float) -> int:
    return max(1, round(share * size))
