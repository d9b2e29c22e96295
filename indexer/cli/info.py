"""indexer info."""

import click

from indexer.cli.options import index_option, json_option, print_json


@click.command()
@index_option
@json_option
def info(index_path: str, as_json: bool) -> None:
    """Say what an index holds.

    \b
    Example:
      indexer info --index my.index
    """
    from indexer.cli.tables import print_facts
    from indexer.index import Index
    from indexer.index.inspect import info as facts_of

    with Index.open(index_path) as index:
        facts = facts_of(index)
    if as_json:
        print_json(facts)
    else:
        print_facts(facts)
