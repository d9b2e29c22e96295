"""indexer import."""

import click

from indexer.cli.options import author, index_option


@click.command("import")
@click.argument("encodings", metavar="ENCODINGS")
@index_option
def import_(encodings: str, index_path: str) -> None:
    """Take over encodings that were made elsewhere.

    No image is needed and no model runs. ENCODINGS is a folder or a file of Parquet, as
    `indexer export --encodings` writes it. An index that does not exist is created; in one
    that does, the passport must be comparable.

    \b
    Example:
      indexer export --index one.index --to encodings/ --encodings
      indexer import encodings/ --index other.index
    """
    from indexer.cli.progress import progress_bar
    from indexer.index.carried import ENCODE_AGAIN, receiving, take
    from indexer.index.encodings_file import EncodingsFile

    found = EncodingsFile.open(encodings)
    index = receiving(index_path, found.passport, found.reference, author())
    with index, progress_bar("Importing", found.images) as advance:
        index.check(found.passport, f"the encodings in {encodings}", ENCODE_AGAIN)
        taken = take(index, found, author(), "import", advance)
    click.echo(f"{taken.added} added, {taken.known} known; generation {taken.generation}")
