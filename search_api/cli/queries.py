"""search-api queries: list, remove."""

import click

from indexer.errors import UsageError
from search_api.cli.options import author, index_option


@click.group()
def queries() -> None:
    """See and remove the query images that `search-api --keep-queries` has kept.

    Each is a file of the index folder, queries/SHA256.
    """


@queries.command(name="list")
@index_option
def list_(index_path: str) -> None:
    """Print the path of every kept query image.

    \b
    Example:
      search-api queries list --index my.index
    """
    from indexer.index import Index
    from indexer.index.kept_queries import KeptQueries

    with Index.open(index_path) as index:
        kept = KeptQueries(index)
        for digest in kept.digests():
            click.echo(kept.folder / digest)


@queries.command()
@click.argument("sha256", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every kept query image.")
@index_option
def remove(sha256: tuple[str, ...], everything: bool, index_path: str) -> None:
    """Delete kept query images, by their SHA256 or all; the audit chain keeps that it was done.

    \b
    Example:
      search-api queries remove --all --index my.index
    """
    from indexer.index import Index
    from indexer.index.kept_queries import KeptQueries

    if bool(sha256) == everything:
        raise UsageError("no SHA256, or both SHA256 and --all", expected="one of the two")
    with Index.open(index_path) as index:
        kept = KeptQueries(index)
        gone = kept.digests() if everything else sha256
        for digest in gone:
            kept.remove(digest, author("queries"))
    click.echo(f"{len(gone)} removed", err=True)
