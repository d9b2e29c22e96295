"""Which patches of an image an index keeps, and how they are made."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Final, Self

import numpy as np

from indexer.errors import UsageError
from indexer.images.geometry import Box, Cells, View, view
from indexer.images.recipe import GREY, Recipe
from indexer.images.windows import preprocess_window, tiles, window_view
from indexer.patches import distinct, quantised
from indexer.types import RGB, Encoder, Float32, ImageFacts, Patches


@dataclass(frozen=True, slots=True)
class PatchPolicy:
    """What an index keeps of every image; set when it is made, so that its images are alike.

    `count` patches of the centre crop, None for all, 0 for none; with `tiles`, so many more of
    each tile, which together cover the whole image.
    """

    count: int | None = 32
    tiles: bool = False

    def __post_init__(self) -> None:
        if self.count is not None and self.count < 0:
            raise UsageError(f"{self.count} patches", expected="all, none or a number")
        if self.tiles and self.count == 0:
            raise UsageError("tiles without patches", do="keep some patches, or no tiles")

    @property
    def reference(self) -> dict[str, Any]:
        """Plain data for the index's reference."""
        return asdict(self)

    @classmethod
    def of(cls, reference: Mapping[str, Any]) -> Self:
        """What an index says; one that says nothing keeps nothing."""
        return cls(**reference.get("patches", {"count": 0}))

    def __str__(self) -> str:
        named = {None: "all patches", 0: "no patches"}.get(self.count, f"{self.count} patches")
        return f"{named}{' of the crop and of each tile' if self.tiles else ''}"


NO_PATCHES: Final = PatchPolicy(0)


def without_patches(where: object) -> UsageError:
    """What is said of an index in which nothing can be searched by patches."""
    return UsageError(f"{where} keeps no patches", do="build another index with --patches 32")


class Keeper:
    """Makes the patches of images, with one encoder and one policy."""

    def __init__(self, encoder: Callable[[], Encoder], policy: PatchPolicy) -> None:
        self._encoder, self._policy = encoder, policy

    @cached_property
    def _recipe(self) -> Recipe:
        return Recipe.from_json(self._encoder().passport.preprocessing)

    @cached_property
    def _neutral(self) -> Float32:
        """(dim,) the mean token of a flat grey image: what the model says of nothing."""
        grey = np.full((*self._recipe.output_size, 3), GREY, np.uint8)
        window = Box(0, 0, grey.shape[1], grey.shape[0])
        tokens = self._encoder().encode_patches([preprocess_window(grey, window, self._recipe)])
        return np.asarray(tokens.mean(axis=(0, 1, 2)), np.float32)

    def tiles(self, rgb: RGB) -> list[Float32]:
        """Model inputs of an image's tiles; none unless the policy wants them."""
        if not self._policy.tiles:
            return []
        windows = tiles(rgb.shape[0], rgb.shape[1], self._recipe)
        return [preprocess_window(rgb, window, self._recipe) for window in windows]

    def keep(self, grid: Float32, tiled: Sequence[Float32], facts: ImageFacts) -> Patches | None:
        """What is kept of an image: of `grid` (rows, columns, dim), its tokens as the model
        sees it, and of the tiles made by `tiles`, which are encoded now."""
        if self._policy.count == 0:
            return None
        height, width = facts.height, facts.width
        patch = self._recipe.output_size[0] // len(grid)
        kept = [self._of_view(grid, view(self._recipe, height=height, width=width, patch=patch))]
        if tiled:
            windows = tiles(height, width, self._recipe)
            grids = self._encoder().encode_patches(tiled)
            kept += [
                self._of_view(part, window_view(window, self._recipe, patch))
                for part, window in zip(grids, windows, strict=True)
            ]
        tokens, boxes = (np.concatenate(part) for part in zip(*kept, strict=True))
        return quantised(tokens, boxes)

    def _of_view(self, grid: Float32, seen: View) -> tuple[Float32, Float32]:
        tokens = grid.reshape(-1, grid.shape[-1])
        boxes = token_boxes(seen)
        if self._policy.count is not None:
            chosen = distinct(tokens, self._neutral, self._policy.count)
            tokens, boxes = tokens[chosen], boxes[chosen]
        return tokens, boxes


def token_boxes(seen: View, cells: Sequence[tuple[int, int]] | None = None) -> Float32:
    """(n, 4) boxes in image pixels of the cells (row, column); by default of all, row by row."""
    rows, columns = seen.grid
    if cells is None:
        cells = [(row, column) for row in range(rows) for column in range(columns)]
    boxes = [seen.enclosing(Cells(x, y, x + 1, y + 1)) for y, x in cells]
    return np.array(boxes, np.float32).reshape(-1, 4)
