"""Lineup: an embedding index and forensic similarity search for deepfakes."""

__version__ = "0.1.0"
