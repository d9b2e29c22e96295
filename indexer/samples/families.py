"""The manipulation families of the samples, by name."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from indexer.samples import local_edits, whole_edits
from indexer.samples.local_edits import Manipulated
from indexer.types import Float32

Manipulation = Callable[[Float32, Float32, np.random.Generator], Manipulated]

FAMILIES: Mapping[str, Manipulation] = MappingProxyType(
    {
        "autoencoder": whole_edits.autoencoder,
        "copy-move": local_edits.copy_move,
        "decoder-grid": whole_edits.decoder_grid,
        "double-jpeg": whole_edits.double_jpeg,
        "inpainting": local_edits.inpainting,
        "regrain": whole_edits.regrain,
        "resampling": whole_edits.resampling,
        "splice": local_edits.splice,
        "tone-transfer": whole_edits.tone_transfer,
        "warp": local_edits.warp,
    }
)
"""(picture, donor, rng) -> (manipulated picture, mask of the touched pixels)."""
