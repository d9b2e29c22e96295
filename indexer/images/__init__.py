"""Bytes to upright RGB arrays, safely; the only package that imports Pillow."""

from indexer.images.decoding import DecodedImage, decode, sha256
from indexer.images.limits import REASONS, Limits
from indexer.images.previews import thumbnail

__all__ = ["REASONS", "DecodedImage", "Limits", "decode", "sha256", "thumbnail"]
