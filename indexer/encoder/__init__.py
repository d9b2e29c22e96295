"""Encoders: RGB images to encodings. The only package that imports torch or transformers.

Importing it loads neither: `load_encoder` loads what the chosen engine needs.
"""

import sys

from indexer.encoder.encoder import VitEncoder
from indexer.encoder.load import load_encoder

# openvino and nncf report their use to a server when imported, but not without this package.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

__all__ = ["VitEncoder", "load_encoder"]
