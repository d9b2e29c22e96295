"""The plots of the report as HTML fragments; the page brings plotly's script."""

import plotly.graph_objects as go

from indexer.evaluation.curves import Curves, Reliability

BLUE, ORANGE, GREY = "#2563a8", "#c2571a", "#9aa5b1"
NOTHING = "<p class='note'>There is nothing to draw.</p>"


def confusion(curves: Curves) -> str:
    """A heat map of counts, shaded by the share of the row."""
    names = curves.names
    rows = [(name, row, sum(row)) for name, row in zip(names, curves.confusion, strict=True)]
    kept = [(name, row, n) for name, row, n in rows if n]
    if not kept:
        return NOTHING
    figure = go.Figure(
        go.Heatmap(
            z=[[count / n for count in row] for _, row, n in kept],
            x=names,
            y=[f"{name} ({n})" for name, _, n in kept],
            text=[[str(count) if count else "" for count in row] for _, row, _ in kept],
            texttemplate="%{text}",
            colorscale="Blues",
            zmin=0,
            zmax=1,
            colorbar={"title": "share of row"},
            hovertemplate="%{y} → %{x}: %{text}<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed", title="true (queries)", dtick=1)
    figure.update_xaxes(title="most similar image", tickangle=-50, dtick=1)
    return _html(figure, 220 + 24 * len(kept))


def precision_recall(curves: Curves) -> str:
    """One line per kind of pairs."""
    if not curves.precision_recall:
        return NOTHING
    figure = go.Figure()
    for colour, (kind, curve) in zip((BLUE, ORANGE), curves.precision_recall.items(), strict=False):
        figure.add_scatter(
            x=curve.recall, y=curve.precision, name=kind, mode="lines", line={"color": colour}
        )
    figure.update_xaxes(title="recall", range=[0, 1])
    figure.update_yaxes(title="precision", range=[0, 1.02])
    return _html(figure, 420)


def reliability(found: Reliability | None, what: str) -> str:
    """Stated against observed; on the dashed line a figure is what it says."""
    if found is None:
        return NOTHING
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", name="ideal", line={"color": GREY, "dash": "dash"}
    )
    figure.add_scatter(
        x=found.stated,
        y=found.observed,
        mode="lines+markers",
        name="observed",
        line={"color": BLUE},
        text=[f"{n:,}" for n in found.n],
        hovertemplate="stated %{x:.2f}, observed %{y:.2f}, on %{text}<extra></extra>",
    )
    figure.update_xaxes(title=f"stated probability of “{what}” at even priors", range=[0, 1.01])
    figure.update_yaxes(title="observed share", range=[0, 1.01])
    return _html(figure, 420)


def _html(figure: go.Figure, height: int) -> str:
    figure.update_layout(
        template="plotly_white", height=height, margin={"l": 60, "r": 20, "t": 20, "b": 60}
    )
    return str(
        figure.to_html(full_html=False, include_plotlyjs=False, config={"displayModeBar": False})
    )
