"""What maps are drawn on: thumbnails, and where patches lie on them."""

import numpy as np

from indexer.errors import UsageError
from indexer.images import decode
from indexer.images.geometry import view
from indexer.images.recipe import Recipe
from indexer.index.keeping import token_boxes
from indexer.types import RGB, Float32, ImageFacts, Passport


def to_draw_on(thumbnail: bytes | None, sha256: str) -> RGB:
    """The thumbnail of an image as pixels. Raises UsageError without one."""
    if thumbnail is None:
        raise UsageError(
            f"image {sha256[:12]} was indexed without a thumbnail to draw on",
            do="build its index without --no-thumbnails, or give the image's file",
        )
    return decode(thumbnail).rgb


def patch_boxes(passport: Passport, facts: ImageFacts, rows: int) -> Float32:
    """(n, 4) boxes of all patches, row by row, of an image that the model sees in `rows` of them,
    in fractions of its width and height."""
    recipe = Recipe.from_json(passport.preprocessing)
    patch = recipe.output_size[0] // rows
    seen = view(recipe, height=facts.height, width=facts.width, patch=patch)
    return as_fractions(token_boxes(seen), facts)


def as_fractions(boxes: Float32, facts: ImageFacts) -> Float32:
    """Boxes in pixels of an image as fractions of its width and height."""
    return np.asarray(boxes / ([facts.width, facts.height] * 2), np.float32)
