"""Patch tokens at work: which are kept, how regions are compared and where they lie.

Arrays in, arrays out. Positions and boxes are in pixels of the image they belong to.
"""

from indexer.patches.matching import Match, best_matches, weights
from indexer.patches.placing import Placement, place
from indexer.patches.projection import PatchProjection, fit_patches
from indexer.patches.quantise import quantised, restored
from indexer.patches.select import distinct

__all__ = [
    "Match",
    "PatchProjection",
    "Placement",
    "best_matches",
    "distinct",
    "fit_patches",
    "place",
    "quantised",
    "restored",
    "weights",
]
