"""Encoders: RGB images to encodings. The only package that imports torch or transformers."""

from indexer.encoder.torch_encoder import TorchEncoder, load_encoder

__all__ = ["TorchEncoder", "load_encoder"]
