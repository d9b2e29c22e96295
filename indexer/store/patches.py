"""Patch tokens in the truth: what may be stored, and how it is read back."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, select

from indexer.errors import UsageError
from indexer.store.schema import patches
from indexer.store.sql import chunks
from indexer.types import Passport, Patches


def check_patches(kept: Patches, passport: Passport, uri: str) -> None:
    """Raises UsageError on arrays that do not fit the passport or each other."""
    count = len(kept.codes)
    shapes = (kept.codes.shape, kept.scales.shape, kept.boxes.shape)
    expected = ((count, passport.dim), (count,), (count, 4))
    if shapes != expected or kept.codes.dtype != np.int8:
        raise UsageError(
            f"patches {shapes} {kept.codes.dtype} of {uri}",
            expected=f"{expected} with int8 codes, as the passport of the index says",
        )
    if not (np.isfinite(kept.scales).all() and np.isfinite(kept.boxes).all()):
        raise UsageError(f"patches of {uri} hold NaN or infinity", expected="finite patches")


def patch_row(image_id: int, kept: Patches) -> dict[str, Any]:
    """The row of one image."""
    return {
        "image_id": image_id,
        "codes": kept.codes.tobytes(),
        "scales": kept.scales.astype("<f4").tobytes(),
        "boxes": kept.boxes.astype("<f4").tobytes(),
    }


def read_patches(connection: Connection, ids: Sequence[int], dim: int) -> dict[int, Patches]:
    """Patches by image id, of those images that keep any."""
    found: dict[int, Patches] = {}
    for chunk in chunks(ids):
        for row in connection.execute(select(patches).where(patches.c.image_id.in_(chunk))):
            found[row.image_id] = Patches(
                np.frombuffer(row.codes, np.int8).reshape(-1, dim),
                np.frombuffer(row.scales, "<f4"),
                np.frombuffer(row.boxes, "<f4").reshape(-1, 4),
            )
    return found
