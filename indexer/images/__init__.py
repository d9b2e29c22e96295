"""Bytes to upright RGB arrays, safely; the only package that imports Pillow."""

from indexer.images.decode import DecodedImage, decode, sha256
from indexer.images.limits import REASONS, Limits
from indexer.images.thumbnail import thumbnail

__all__ = ["REASONS", "DecodedImage", "Limits", "decode", "sha256", "thumbnail"]
