"""Encoders: RGB images to encodings. The only package that imports torch or transformers.

Importing it loads neither: `load_encoder` loads what the chosen engine needs.
"""

from indexer.encoder.encoder import VitEncoder
from indexer.encoder.load import load_encoder

__all__ = ["VitEncoder", "load_encoder"]
