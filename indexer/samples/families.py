"""The manipulation families of the samples, by name."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from indexer.samples import local_edits, whole_edits
from indexer.samples.local_edits import Manipulated
from indexer.types import Float32

_EDITS: Mapping[str, Callable[[Float32, np.random.Generator], Manipulated]] = MappingProxyType(
    {
        "autoencoder": whole_edits.autoencoder,
        "copy-move": local_edits.copy_move,
        "decoder-grid": whole_edits.decoder_grid,
        "double-jpeg": whole_edits.double_jpeg,
        "inpainting": local_edits.inpainting,
        "regrain": whole_edits.regrain,
        "resampling": whole_edits.resampling,
        "warp": local_edits.warp,
    }
)
_TRANSFERS: Mapping[str, Callable[[Float32, Float32, np.random.Generator], Manipulated]] = (
    MappingProxyType({"splice": local_edits.splice, "tone-transfer": whole_edits.tone_transfer})
)

FAMILIES: tuple[str, ...] = tuple(sorted((*_EDITS, *_TRANSFERS)))


def manipulate(
    family: str, picture: Float32, donor: Callable[[], Float32], rng: np.random.Generator
) -> Manipulated:
    """The picture after a manipulation of this family, and the mask of the touched pixels.

    `donor` makes another picture of the same shape; it is asked only where one is needed.
    """
    if family in _TRANSFERS:
        return _TRANSFERS[family](picture, donor(), rng)
    return _EDITS[family](picture, rng)
