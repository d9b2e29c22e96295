"""indexer upgrade."""

import click

from indexer.cli.options import author, index_option


@click.command()
@index_option
def upgrade(index_path: str) -> None:
    """Bring an index of an earlier release to this one's schema.

    It is done whole or not at all; make a copy before. Earlier releases cannot open it then.

    \b
    Example:
      indexer upgrade --index my.index
    """
    from indexer.index.home import truth_at
    from indexer.store import upgrade as bring

    before, after = bring(truth_at(index_path), author())
    click.echo(f"schema {after}" + (", as before" if before == after else f", was {before}"))
