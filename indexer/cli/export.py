"""indexer export."""

import click

from indexer.cli.options import author, index_option


@click.command()
@index_option
@click.option("--to", "target", required=True, metavar="DIR", help="A new or empty folder.")
def export(index_path: str, target: str) -> None:
    """Write embeddings and metadata as npy and parquet, in the clip-retrieval layout.

    \b
    Example:
      indexer export --index my.index --to exported/
      python -c "import pandas; print(pandas.read_parquet('exported/metadata'))"
    """
    from indexer.index import Index
    from indexer.index.export import export as write

    with Index.open(index_path) as index:
        facts = write(index, target, author())
    click.echo(f"{facts['images']} images of generation {facts['generation']} in {target}")
