"""indexer fit."""

import click

from indexer.cli.options import author, index_option


@click.command()
@index_option
def fit(index_path: str) -> None:
    """Fit the projection and the calibration anew, on the gallery as it is now.

    Takes seconds, since the taps are stored; earlier generations keep their own projection.

    \b
    Example:
      indexer fit --index my.index
    """
    from indexer.index import Index

    with Index.open(index_path) as index:
        derived = index.fit(author())
    click.echo(
        f"generation {derived.fit}: {derived.projection.kind}, {derived.projection.fitted_on}"
    )
