"""The map of a gallery, with thumbnails on hover; the door to plotly for notebooks."""

from html import escape
from typing import TYPE_CHECKING, Literal

from indexer.errors import MissingExtra
from indexer.index import Index
from indexer.index.cards import Place, places
from indexer.notebook.pictures import data_uri

if TYPE_CHECKING:
    import plotly.graph_objects as go

Colour = Literal["family", "source", "score", "label"]

PALETTE = (
    "#3366cc", "#dc3912", "#109618", "#990099", "#0099c6", "#b82e2e", "#316395", "#994499",
    "#22aa99", "#8a7a00", "#6633cc", "#e67300", "#8b0707", "#651067", "#329262", "#5574a6",
)  # fmt: skip
MARKS = ("circle", "square", "diamond", "triangle-up")
"""Colours and marks vary with different periods, so that neighbours in the legend differ in one."""
NOBODY = "in no family"

HOVER = """
<div id="seen" style="position:fixed;display:none;pointer-events:none;background:#fff;
border:1px solid #999;padding:4px"><img style="width:128px;display:block"></div>
<script>
const pictures = %s;
const seen = document.getElementById("seen"), plot = document.querySelector(".js-plotly-plot");
plot.on("plotly_hover", ({ points, event }) => {
  seen.firstChild.src = pictures[points[0].customdata] || "";
  seen.style.display = pictures[points[0].customdata] ? "block" : "none";
  seen.style.left = `${Math.min(event.clientX + 16, innerWidth - 150)}px`;
  seen.style.top = `${Math.min(event.clientY + 16, innerHeight - 150)}px`;
});
plot.on("plotly_unhover", () => { seen.style.display = "none"; });
</script>
"""


def gallery_map(index: Index, colour: Colour = "family") -> "go.Figure":
    """The map of the last build of families. Nearness is likeness; axes mean nothing.

    Raises NotFound before the first build and MissingExtra without the package plotly.
    """
    try:
        import plotly.graph_objects as go
    except ImportError as error:
        raise MissingExtra("plotly", "evaluate", "the map") from error
    found = places(index)
    if colour == "score":
        traces = [go.Scattergl(**_points(found), marker=_scale(found), name="score")]
    else:
        traces = [
            go.Scattergl(**_points(own), name=name, marker=_mark(number, name))
            for number, (name, own) in enumerate(_groups(found, colour))
        ]
    figure = go.Figure(traces)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, scaleanchor="x")
    figure.update_layout(
        template="simple_white",
        title=f"{len(found):,} images by {colour}; near is alike, axes mean nothing",
        legend={"itemsizing": "constant"},
        margin={"l": 10, "r": 10, "t": 50, "b": 10},
        height=620,
    )
    return figure


def map_page(index: Index, colour: Colour = "family") -> str:
    """The map as a page of its own that shows an image's thumbnail on hover, offline."""
    import json

    body = gallery_map(index, colour).to_html(full_html=False, include_plotlyjs=True)
    pictures = {place.sha256: data_uri(index, place.sha256) for place in places(index)}
    return f"<!doctype html><meta charset='utf-8'>{body}{HOVER % json.dumps(pictures)}"


def framed(page: str, height: int = 660) -> str:
    """A page inside a notebook's output."""
    return (
        f'<iframe srcdoc="{escape(page)}" width="100%" height="{height}" frameborder="0"></iframe>'
    )


def _groups(found: list[Place], colour: Colour) -> list[tuple[str, list[Place]]]:
    """By name, largest group first, those without a name last (drawn beneath in grey)."""
    groups: dict[str, list[Place]] = {}
    for place in found:
        groups.setdefault(getattr(place, colour) or "", []).append(place)
    known = sorted((name for name in groups if name), key=lambda name: (-len(groups[name]), name))
    nobody = [(NOBODY if colour == "family" else "unknown", groups[""])] if "" in groups else []
    return [*nobody, *((name, groups[name]) for name in known)]


def _points(found: list[Place]) -> dict[str, object]:
    return {
        "x": [place.x for place in found],
        "y": [place.y for place in found],
        "customdata": [place.sha256 for place in found],
        "text": [
            f"{place.family or NOBODY} ({place.label or 'unknown'}), strength {place.strength:.2f}"
            for place in found
        ],
        "hoverinfo": "text",
        "mode": "markers",
    }


def _mark(number: int, name: str) -> dict[str, object]:
    if name in (NOBODY, "unknown"):
        return {"size": 5, "color": "#c4c9d0"}
    return {
        "size": 8,
        "color": PALETTE[number % len(PALETTE)],
        "symbol": MARKS[number % len(MARKS)],
        "line": {"width": 0.5, "color": "white"},
    }


def _scale(found: list[Place]) -> dict[str, object]:
    scores = [place.score for place in found]
    return {"size": 7, "color": scores, "colorscale": "Viridis", "cmin": 0, "cmax": 1,
            "colorbar": {"title": "p(fake)"}}  # fmt: skip
