"""indexer merge."""

import click

from indexer.cli.options import author, index_option


@click.command()
@click.argument("others", nargs=-1, required=True, metavar="OTHER...")
@index_option
def merge(others: tuple[str, ...], index_path: str) -> None:
    """Take over all images of other indexes.

    Where they lie, what is known of them, encodings and thumbnails; not the families that
    clustering found there, nor decisions on families. What analysts said of single images
    comes as an import. Passports must be comparable; an index that does not exist is created
    like the first OTHER.

    \b
    Example:
      indexer merge desk-a.index desk-b.index --index all.index
    """
    from indexer.index import Index
    from indexer.index.carried import merge as take_over
    from indexer.index.carried import receiving

    for other in others:
        with Index.open(other) as source:
            store = source.store
            with receiving(index_path, store.passport, store.reference, author()) as index:
                taken = take_over(index, source, author())
        click.echo(
            f"{other}: {taken.added} added, {taken.known} known; generation {taken.generation}"
        )
