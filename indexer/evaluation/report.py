"""One self-contained HTML page of an evaluation, plots included."""

from html import escape
from pathlib import Path

from indexer.errors import MissingExtra
from indexer.evaluation.evaluate import Evaluation, FamilyFigures
from indexer.evaluation.measured import Measured

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 68rem; margin: 2rem auto; padding: 0 1rem;
       color: #1c2430; background: #fff; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .9rem .3rem 0; text-align: right; border-bottom: 1px solid #dde3ea; }
th:first-child, td:first-child { text-align: left; }
th { font-weight: 600; color: #4a5666; } .note { color: #4a5666; max-width: 46rem; }
"""


def report_html(evaluation: Evaluation, path: Path) -> None:
    """Write the page to `path`; it loads nothing from elsewhere.

    Raises MissingExtra without the package plotly.
    """
    try:
        from plotly.offline import get_plotlyjs

        from indexer.evaluation import plots
    except ImportError as error:
        raise MissingExtra("plotly", "evaluate", "the HTML report") from error
    curves = evaluation.curves
    body = "\n".join(
        [
            "<h1>Evaluation of the index</h1>",
            _counts(evaluation),
            _table_of_figures(evaluation),
            _families(evaluation),
            "<h2>Confusion of families</h2>",
            _note("Each row counts where the most similar gallery image of its queries belongs."),
            plots.confusion(curves),
            "<h2>Precision over recall</h2>",
            _note("Pairs of a query and a gallery image called “same family” by similarity."),
            plots.precision_recall(curves),
            _trust(evaluation),
            "<h2>Reliability of the likelihood ratio</h2>",
            plots.reliability(curves.ratio, "same family"),
            "<h2>Reliability of the score</h2>",
            plots.reliability(curves.score, "fake"),
        ]
    )
    path.write_text(
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        f"<title>Evaluation of the index</title><style>{STYLE}</style>"
        f"<script>{get_plotlyjs()}</script></head><body>{body}</body></html>",
        encoding="utf-8",
    )


def _counts(evaluation: Evaluation) -> str:
    queries, gallery = evaluation.queries, evaluation.gallery
    return _note(
        f"{queries['images']:,} queries ({queries['fake']:,} fake, {queries['real']:,} real) on a "
        f"gallery of {gallery['images']:,} images ({gallery['fake']:,} fake of "
        f"{gallery['families']} families, {gallery['real']:,} real). Brackets are bootstrap 95% "
        "intervals over the queries. Families and sources are often confounded: the "
        "cross-source figure is the honest one for a new source."
    )


def _table_of_figures(evaluation: Evaluation) -> str:
    rows = [
        ["this index", *_figures(evaluation.family), _cell(evaluation.cross_source),
         _cell(evaluation.knn_auc)],
        *(
            [name, *_figures(other.family), _cell(other.cross_source), _cell(other.knn_auc)]
            for name, other in evaluation.baselines.items()
        ),
    ]  # fmt: skip
    few = [[f"{n} per family", _cell(rank), str(rank.n)] for n, rank in evaluation.shots.items()]
    sets = [[name, _cell(a), str(a.n)] for name, a in evaluation.knn_auc_by_matched_set.items()]
    head = ["descriptor", "P@1", "P@10", "mAP", "P@10 cross-source", "k-NN real/fake AUC"]
    return (
        "<h2>Finding the family</h2>"
        + _table(head, rows)
        + "<h2>From a few examples</h2>"
        + _table(["examples", "Rank-1", "queries"], few)
        + ("<h2>Real or fake within matched sets</h2>" if sets else "")
        + (_table(["set", "k-NN AUC", "queries"], sets) if sets else "")
    )


def _families(evaluation: Evaluation) -> str:
    cost = evaluation.cllr.by_family if evaluation.cllr else {}
    rows = [
        [
            name,
            *_figures(figures),
            _number(cost.get(name)),
            _cell(evaluation.novelty_auroc[name].familiarity)
            if name in evaluation.novelty_auroc
            else "–",
            str(figures.p_at_1.n),
        ]
        for name, figures in sorted(evaluation.by_family.items())
    ]
    head = ["family", "P@1", "P@10", "mAP", "Cllr", "novelty AUROC", "queries"]
    return "<h2>Each family</h2>" + _table(head, rows)


def _trust(evaluation: Evaluation) -> str:
    rates = [
        [
            rate,
            _number(c.similarity, 3),
            f"{c.low:.2e} – {c.high:.2e}",
            f"{c.observed:.2e}",
            f"{c.n:,}",
            "yes" if c.holds else "no",
        ]
        for rate, c in evaluation.fmr.items()
    ]
    cover = [
        [f"{c.nominal:.0%}", _share(c.fake), str(c.n_fake), _share(c.real), str(c.n_real)]
        for c in evaluation.coverage
    ]
    cost = evaluation.cllr
    said = (
        _note(
            f"Cllr {_number(cost.all, 3)} over all pairs, {_number(cost.cross_source, 3)} over "
            f"pairs of different sources, at best {_number(cost.min, 3)} "
            f"({cost.same:,} pairs of one family, {cost.different:,} of two). "
            "0 is perfect, 1 says nothing, above 1 misleads."
        )
        if cost
        else _note("No likelihood ratio: the gallery has too few labelled families.")
    )
    return (
        "<h2>Do the stated figures hold?</h2>"
        + _table(
            ["false-match rate", "similarity", "stated 95% interval", "observed", "pairs", "holds"],
            rates,
        )
        + said
        + _table(
            ["nominal coverage", "true family kept", "fakes", "real kept", "reals"],
            cover,
        )
    )


def _figures(family: FamilyFigures) -> list[str]:
    return [_cell(family.p_at_1), _cell(family.p_at_10), _cell(family.map)]


def _cell(figure: Measured) -> str:
    if figure.value is None:
        return "–"
    return f"{figure.value:.2f} [{figure.low:.2f}, {figure.high:.2f}]"


def _number(value: float | None, digits: int = 2) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _note(text: str) -> str:
    return f"<p class='note'>{escape(text)}</p>"


def _table(head: list[str], rows: list[list[str]]) -> str:
    def line(cells: list[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(c)}</{tag}>" for c in cells) + "</tr>"

    return f"<table>{line(head, 'th')}{''.join(line(row, 'td') for row in rows)}</table>"
