"""An affine map from taps to unit vectors, and its one-file form."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from indexer.errors import IndexDamaged, UsageError
from indexer.types import Float32

FORMAT = "lineup-projection/1"
BATCH = 4096
"""Rows turned to float32 at a time: 4096 x 4608 values are 75 MB."""


@dataclass(frozen=True, slots=True)
class Block:
    """A run of descriptor axes that is scaled to a length of its own.

    `share` is the block's part of the squared length, so a similarity is the
    share-weighted mean of the cosines within the blocks.
    """

    name: str
    width: int
    share: float


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a projection was fitted on.

    `images` is the gallery's size, `labelled` the images that served as examples of a class,
    `classes` their number; `note` says what was done and, where it was not all, why not more.
    """

    images: int
    labelled: int
    classes: int
    seed: int
    note: str


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """Taps -> descriptor: `(taps - center) @ matrix`, each block scaled to its share.

    `kind` is "random", "whitening" or "whitening+lda". `taps` (T, D) is the shape of one
    image's taps; `center` (T*D,) and `matrix` (T*D, dim) are float32; `blocks` cover the
    dim axes in order and their shares sum to 1.
    """

    kind: str
    taps: tuple[int, int]
    center: Float32
    matrix: Float32
    blocks: tuple[Block, ...]
    fitted_on: Fitted

    @property
    def dim(self) -> int:
        return int(self.matrix.shape[1])

    def apply(self, taps: NDArray[np.floating[Any]]) -> Float32:
        """Descriptors (n, dim) float32 of unit length for taps (n, T, D).

        A row does not depend on the rows beside it (but for float32 rounding, about 1e-6).
        A block that comes out as zero becomes its first axis.
        Raises UsageError when T or D differ from those fitted or a value is not finite.
        """
        if taps.shape[1:] != self.taps:
            raise UsageError(
                f"taps of shape {taps.shape}",
                expected=f"(n, {self.taps[0]}, {self.taps[1]})",
                do="encode with the checkpoint and taps that the projection was fitted on",
            )
        if not np.isfinite(taps).all():
            raise UsageError("taps that are not finite", do="encode the images again")
        descriptors = np.empty((len(taps), self.dim), np.float32)
        for start in range(0, len(taps), BATCH):
            rows = slice(start, start + BATCH)
            flat = taps[rows].reshape(-1, self.center.size).astype(np.float32)
            descriptors[rows] = (flat - self.center) @ self.matrix
        start = 0
        for block in self.blocks:
            _scale(descriptors[:, start : start + block.width], block.share)
            start += block.width
        return descriptors

    def save(self, path: Path) -> None:
        """Write one safetensors file; the same projection gives the same bytes."""
        facts = {
            "format": FORMAT,
            "kind": self.kind,
            "taps": self.taps,
            "blocks": [asdict(block) for block in self.blocks],
            "fitted_on": asdict(self.fitted_on),
        }
        # One metadata key: safetensors keeps no order among several.
        metadata = {"projection": json.dumps(facts, sort_keys=True)}
        save_file({"center": self.center, "matrix": self.matrix}, path, metadata=metadata)

    @classmethod
    def load(cls, path: Path) -> "Projection":
        """Read what `save` wrote. Raises IndexDamaged on anything else."""
        try:
            with safe_open(path, framework="numpy") as file:
                facts = json.loads((file.metadata() or {}).get("projection", "{}"))
                if facts.get("format") != FORMAT:
                    raise _damaged(path, f"format {facts.get('format')}")
                center, matrix = file.get_tensor("center"), file.get_tensor("matrix")
        except SafetensorError as error:
            raise _damaged(path, str(error)) from error
        return cls(
            kind=facts["kind"],
            taps=(facts["taps"][0], facts["taps"][1]),
            center=center,
            matrix=matrix,
            blocks=tuple(Block(**block) for block in facts["blocks"]),
            fitted_on=Fitted(**facts["fitted_on"]),
        )


def _scale(rows: Float32, share: float) -> None:
    """Give every row the squared length `share`, in place."""
    rows[~rows.any(axis=1), 0] = 1.0
    rows *= np.sqrt(share) / np.linalg.norm(rows, axis=1, keepdims=True)


def _damaged(path: Path, found: str) -> IndexDamaged:
    return IndexDamaged(
        f"{path} is no projection of this version ({found})",
        expected=f"a safetensors file of format {FORMAT}",
        do="fit the projection again: `indexer fit`",
    )
