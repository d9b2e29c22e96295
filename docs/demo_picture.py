"""Draws docs/demo.jpg: three queries of the demo and their nearest images.

python docs/demo_picture.py [build/demo]
"""

import io
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from indexer.filters import parse_filter
from indexer.index import Index, query_bytes, search
from indexer.sources import open_source

FAMILIES = ("decoder-grid", "inpainting", "warp")
HITS, SIDE, LINE = 5, 150, 18


def main() -> None:
    """Draw the sheet from the demo's folder."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else "build/demo")
    everything = open_source(root / "collection" / "manifest.csv")
    queries = everything.select(parse_filter("meta.role = 'query'"))
    font = ImageFont.load_default(12)
    sheet = Image.new("RGB", ((HITS + 1) * (SIDE + 8) + 16, len(FAMILIES) * (SIDE + 52)), "white")
    draw = ImageDraw.Draw(sheet)
    with Index.open(root / "demo.index") as index:
        for row, family in enumerate(FAMILIES):
            asked = next(query for query in queries if query.annotation.family == family)
            data = asked.read()
            answer = search(index, query_bytes(index, data), HITS)
            top = row * (SIDE + 52)
            _place(sheet, data, 4, top + 4)
            draw.text((4, top + SIDE + 6), f"query: {family}", "black", font)
            draw.text((4, top + SIDE + 6 + LINE), answer.conclusion.verdict, "black", font)
            for column, hit in enumerate(answer.hits, 1):
                left = column * (SIDE + 8) + 12
                thumbnail = index.store.thumbnail(hit.sha256)
                if thumbnail is not None:
                    _place(sheet, thumbnail, left, top + 4)
                colour = "darkgreen" if hit.family == family else "firebrick"
                draw.text((left, top + SIDE + 6), str(hit.family or hit.label), colour, font)
                draw.text((left, top + SIDE + 6 + LINE), f"{hit.similarity:.2f}", "black", font)
    sheet.save(Path(__file__).with_name("demo.jpg"), quality=85)


def _place(sheet: Image.Image, data: bytes, left: int, top: int) -> None:
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    side = min(picture.size)
    x, y = (picture.width - side) // 2, (picture.height - side) // 2
    square = picture.crop((x, y, x + side, y + side)).resize((SIDE, SIDE))
    sheet.paste(square, (left, top))


if __name__ == "__main__":
    main()
