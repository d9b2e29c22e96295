"""indexer label."""

import click

from indexer.cli.options import author_option, index_option


@click.command()
@click.argument("images", nargs=-1, required=True, metavar="SHA256...")
@index_option
@click.option("--family", help="The family's name; made if there is none.")
@click.option("--label", type=click.Choice(["real", "fake"]), help="fake, if a family is given.")
@author_option
def label(
    images: tuple[str, ...], index_path: str, family: str | None, label: str | None, author: str
) -> None:
    """Say what images are: real or fake, and of which family.

    Takes effect in the next search and is never overwritten; `indexer families undo` takes it
    back.

    \b
    Example:
      indexer label 5f3a...e1 9c01...77 --family face-magic --index my.index
      indexer label 5f3a...e1 --label real --index my.index
    """
    from indexer.index import Index
    from indexer.index.labelling import label_images

    with Index.open(index_path) as index:
        number = label_images(index, images, label, family, author)
    click.echo(f"decision {number}; take it back with: indexer families undo {number}")
