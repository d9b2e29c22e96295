"""How what is asked is said: types, forms and JSON."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypedDict

from lineup_client.transport import Body

Image = bytes | str | os.PathLike[str]
"""The bytes of an image file, or its path."""
Box = tuple[float, float, float, float]
"""x, y, width, height, in pixels or, if none exceeds 1, in fractions of the image."""
Label = Literal["real", "fake"]
Order = Literal[
    "size", "-size", "name", "-name", "cohesion", "-cohesion", "stability", "-stability"
]


class Options(TypedDict, total=False):
    """What a search may be told besides the image: `k` hits at most, only those that match the
    filter `where` or have the `label`, the gallery as it was at a `generation`, the accepted
    `risk` of excluding the true family."""

    k: int
    where: str
    label: Label
    generation: int
    risk: float


def given(**fields: object) -> dict[str, Any]:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def upload(image: Image | None, fields: Mapping[str, Any]) -> Body:
    """A form around an image; JSON where there is none."""
    if image is None:
        return {"json": fields}
    return {"files": {"image": named_bytes(image)}, "data": fields}


def named_bytes(image: Image) -> tuple[str, bytes]:
    """Name and bytes, read now so that they can be sent again."""
    if isinstance(image, bytes):
        return "image", image
    path = Path(image)
    return path.name, path.read_bytes()
