"""indexer remove."""

import click

from indexer.cli.options import author, index_option


@click.command()
@click.argument("digests", nargs=-1, required=True, metavar="SHA256...")
@index_option
def remove(digests: tuple[str, ...], index_path: str) -> None:
    """Take images out of the gallery, from the next generation on.

    Earlier generations can still be searched; the originals are never touched.

    \b
    Example:
      indexer remove 5f3a...e1 --index my.index
    """
    from indexer.index import Index

    with Index.open(index_path) as index:
        for digest in digests:
            index.store.image(digest)
        with index.store.commit("remove", author()) as txn:
            removed = txn.remove(digests)
        click.echo(f"{removed} removed; generation {index.store.generation}")
