"""The `search-api` command: serve, and say who may use the service."""

import sys

import click

from indexer.errors import LineupError, UsageError
from search_api.cli.keys import keys
from search_api.cli.queries import queries
from search_api.cli.serve import search_api

search_api.add_command(keys)
search_api.add_command(queries)


def main() -> None:
    """Run the command; an expected failure is one line on stderr and exit code 1 (usage: 2)."""
    try:
        search_api()
    except LineupError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2 if isinstance(error, UsageError) else 1)
