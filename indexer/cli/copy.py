"""indexer copy."""

import click

from indexer.cli.options import author


@click.command()
@click.argument("source", metavar="SOURCE")
@click.argument("target", metavar="TARGET")
@click.option(
    "--vectors",
    metavar="URL",
    help="Where the copy's vectors are searched: milvus+http://HOST:PORT or milvus+file:PATH.db, "
    "with the token in MILVUS_TOKEN. Default: in this process, by FAISS.",
)
def copy(source: str, target: str, vectors: str | None) -> None:
    """Copy an index to another place or engine, history and all.

    TARGET is a new folder, or the postgresql+psycopg:// URL of an empty database. Every
    generation, label, decision and row of the audit chain goes along, as they are when the
    copy begins; each table is read back and compared, and a copy that is cut short leaves
    nothing. Kept queries stay where they are. From then on the two go their own ways.

    \b
    Example:
      indexer copy my.index postgresql+psycopg://lineup@db/lineup
      indexer copy postgresql+psycopg://lineup@db/lineup back.index
    """
    from indexer.cli.progress import progress_bar
    from indexer.index import Index

    with Index.open(source) as index:
        rows = index.store.rows
        with (
            progress_bar("Copying", rows, "rows") as advance,
            index.copy(target, author(), vectors, advance) as copied,
        ):
            copied.gallery()
            generation = copied.store.generation
    click.echo(f"{rows:,} rows copied and compared; generation {generation} is at {target}")
