"""The forensic descriptor: a learned, versioned map from taps to unit vectors."""

from indexer.descriptor.fit import fit_projection
from indexer.descriptor.projection import Projection

__all__ = ["Projection", "fit_projection"]
