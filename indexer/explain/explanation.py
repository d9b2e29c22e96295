"""What an explanation consists of, and its words."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

import numpy as np

from indexer.custody import Entry
from indexer.errors import UsageError
from indexer.images import decode
from indexer.images.geometry import view
from indexer.images.recipe import Recipe
from indexer.index import Index
from indexer.index.keeping import token_boxes
from indexer.maps import Faithfulness
from indexer.types import RGB, Bool, Encoded, Float32, ImageFacts, Masked, Passport


class Looker(Protocol):
    """An encoded image, and the model that can look at it again."""

    @property
    def encoded(self) -> Encoded:
        """With its thumbnail."""
        ...

    def vary(self, masks: Bool) -> Masked:
        """Encode it once for each of the masks (n, rows, columns), greyed out where one is true."""
        ...

    def attend(self) -> Float32:
        """(patches,) the rollout of the model's attention."""
        ...


@dataclass(frozen=True, slots=True)
class Explanation:
    """A picture of one kind of map, and what it is worth.

    `picture` is a PNG, `alt` what it shows, `says` whole sentences to read beside it.
    `faithfulness` has a figure for each map in the picture; `missing` says for each that could
    not be given why. `other_sha256` is the image that `query_sha256` was compared with, if any.
    """

    kind: Literal["match", "fake"]
    query_sha256: str
    other_sha256: str | None
    generation: int
    picture: bytes
    alt: str
    says: tuple[str, ...]
    faithfulness: Mapping[str, Faithfulness]
    missing: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, without the picture."""
        fields = asdict(self)
        del fields["picture"]
        return fields


def record(index: Index, found: Explanation, author: str) -> None:
    """Return when the audit chain durably tells that `author` asked for this."""
    details = {"kind": found.kind, "query": found.query_sha256, "other": found.other_sha256}
    index.store.audit.record(Entry("explain", author, details, found.generation))


def worth(map_name: str, effect: str, figure: Faithfulness) -> str:
    """A sentence on a map: what its strongest patches do, and whether chance does the same."""
    verdict = "better than chance" if figure.better else "no better than chance"
    return (
        f"{map_name} is {verdict} here: {effect} {figure.effect:.3g}, as many patches at random "
        f"{figure.by_chance:.3g} on average ({figure.draws} draws, p = {figure.p_value:.2f})."
    )


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
