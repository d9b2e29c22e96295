"""Sample images: free photographs and drawn scenes, real and manipulated."""

from indexer.samples.collection import make_collection
from indexer.samples.families import FAMILIES

__all__ = ["FAMILIES", "make_collection"]
