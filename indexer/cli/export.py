"""indexer export."""

import click

from indexer.cli.options import author, index_option


@click.command()
@index_option
@click.option("--to", "target", required=True, metavar="DIR", help="A new or empty folder.")
@click.option(
    "--encodings",
    is_flag=True,
    help="Instead: everything that `indexer import` needs, taps and patches too.",
)
def export(index_path: str, target: str, encodings: bool) -> None:
    """Write embeddings and metadata, or all encodings, as files.

    Embeddings as npy and metadata as parquet, in the clip-retrieval layout.

    \b
    Example:
      indexer export --index my.index --to exported/
      python -c "import pandas; print(pandas.read_parquet('exported/metadata'))"
    """
    from indexer.index import Index
    from indexer.index.export import export as write
    from indexer.index.export import export_encodings

    with Index.open(index_path) as index:
        facts = (export_encodings if encodings else write)(index, target, author())
    click.echo(f"{facts['images']} images of generation {facts['generation']} in {target}")
