"""indexer evaluate."""

import sys

import click

from indexer.cli.options import index_option, json_option


@click.command()
@index_option
@click.option("--queries", metavar="SOURCE", help="A manifest of labelled images to ask for.")
@click.option(
    "--where", metavar="FILTER", help="Only queries that match, such as \"meta.role = 'query'\"."
)
@click.option("--html", metavar="FILE", help="Also write a page with tables and curves.")
@json_option
def evaluate(
    index_path: str, queries: str | None, where: str | None, html: str | None, as_json: bool
) -> None:
    """Measure how well this index finds families.

    With --queries the index is asked for labelled images of your own; without, it is asked
    for its own images, each described by a projection that was fitted without it. Every
    figure has a 95% interval; last-layer CLS and the PDQ hash are there to compare with.

    \b
    Example:
      indexer evaluate --index my.index --html evaluation.html
      indexer evaluate --index my.index --queries held-out.csv --json
    """
    from pathlib import Path

    from indexer.cli.progress import progress_bar
    from indexer.cli.tables import print_evaluation
    from indexer.evaluation import report_html
    from indexer.filters import parse_filter
    from indexer.index import Index
    from indexer.index.evaluate import evaluate_index
    from indexer.sources import open_source, total

    sources = [open_source(queries)] if queries else []
    if where is not None:
        sources = [source.select(parse_filter(where)) for source in sources]
    with (
        Index.open(index_path) as index,
        progress_bar("Encoding queries", total(sources)) as advance,
    ):
        evaluation, rejects = evaluate_index(index, sources, on_progress=advance)
    if html:
        report_html(evaluation, Path(html))
    if as_json:
        click.echo(evaluation.to_json())
    else:
        print_evaluation(evaluation)
    for reject in rejects:
        click.echo(f"rejected: {reject}", err=True)
    if rejects:
        sys.exit(3)
