"""Maps over the patches of an image, and whether they point at what matters.

Arrays in, arrays out. A map is (rows, columns) over the model's grid of patches, higher is more;
a mask is the same in bool.
"""

from indexer.maps.faithfulness import CHANCE, Faithfulness, at_random, judge, strongest
from indexer.maps.matching import what_matched
from indexer.maps.occlusion import attribution, windows
from indexer.maps.rollout import rollout

__all__ = [
    "CHANCE",
    "Faithfulness",
    "at_random",
    "attribution",
    "judge",
    "rollout",
    "strongest",
    "what_matched",
    "windows",
]
