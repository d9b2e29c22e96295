"""Maps as pictures: values of patches as colours over their image, with a legend."""

import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from indexer.images.colours import coloured
from indexer.types import RGB, Float32

SIDE: Final = 360
"""Edge in pixels of the square into which an image is fitted."""
GAP: Final = 16
LINE: Final = 18
BAR: Final = 10
VEIL: Final = 0.7
"""How much the colour covers the image, of which only the lightness is kept."""
INK, QUIET, PAPER = "#1a1d21", "#555c66", "#ffffff"


@dataclass(frozen=True, slots=True)
class Panel:
    """An image (height, width, 3) and what is told of its patches: `values` (n,) of `boxes`
    (n, 4), in fractions of its width and height. `low` and `high` are the values at the ends of
    the colours, `legend` says what they are. Without values, the image alone."""

    title: str
    image: RGB
    legend: str = ""
    boxes: Float32 | None = None
    values: Float32 | None = None
    low: float = 0.0
    high: float = 1.0


def sheet(title: str, panels: Sequence[Panel], note: str) -> bytes:
    """A PNG: the panels side by side under a title, over a note."""
    width = len(panels) * (SIDE + GAP) + GAP
    font, small = ImageFont.load_default(15), ImageFont.load_default(13)
    letters = (width - 2 * GAP) * len(note) / small.getlength(note)
    lines = textwrap.wrap(note, int(letters) - 2)
    top = GAP + 2 * LINE
    height = top + SIDE + 5 * LINE + len(lines) * LINE
    paper = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(paper)
    draw.text((GAP, GAP - 4), title, INK, font)
    for number, panel in enumerate(panels):
        left = GAP + number * (SIDE + GAP)
        draw.text((left, top - LINE), panel.title, QUIET, small)
        picture = _picture(panel)
        place = (left + (SIDE - picture.width) // 2, top + (SIDE - picture.height) // 2)
        paper.paste(picture, place)
        if panel.values is not None:
            _legend(paper, draw, panel, left, top + SIDE + GAP // 2, small)
    for row, line in enumerate(lines):
        draw.text((GAP, height - GAP - (len(lines) - row) * LINE), line, INK, small)
    buffer = io.BytesIO()
    paper.save(buffer, "PNG")
    return buffer.getvalue()


def _picture(panel: Panel) -> Image.Image:
    """The image, fitted, under the colours of its patches."""
    scale = SIDE / max(panel.image.shape[:2])
    height, width = (max(1, round(scale * edge)) for edge in panel.image.shape[:2])
    picture = Image.fromarray(panel.image).resize((width, height), Image.Resampling.BICUBIC)
    if panel.values is None or panel.boxes is None:
        return picture
    grey = picture.convert("L").convert("RGB")
    pixels = np.array(grey)
    spread = max(panel.high - panel.low, 1e-9)
    colours = coloured(np.clip((panel.values - panel.low) / spread, 0, 1))
    edges = np.rint(panel.boxes * [width, height, width, height]).astype(int)
    for (left, top, right, bottom), colour in zip(np.clip(edges, 0, None), colours, strict=True):
        part = pixels[top:bottom, left:right]
        part[:] = np.rint((1 - VEIL) * part + VEIL * colour)
    return Image.fromarray(pixels)


def _legend(
    paper: Image.Image,
    draw: ImageDraw.ImageDraw,
    panel: Panel,
    left: int,
    top: int,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    ramp = coloured(np.tile(np.linspace(0, 1, SIDE, dtype=np.float32), (BAR, 1)))
    paper.paste(Image.fromarray(ramp), (left, top))
    below = top + BAR + 3
    draw.text((left, below), f"{panel.low:.2f}", INK, font)
    draw.text((left + SIDE, below), f"{panel.high:.2f}", INK, font, anchor="ra")
    draw.text((left + SIDE / 2, below), panel.legend, INK, font, anchor="ma")
