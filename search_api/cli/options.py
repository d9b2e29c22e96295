"""What several sub-commands of `search-api` share."""

import getpass

import click

index_option = click.option(
    "--index",
    "index_path",
    envvar="LINEUP_INDEX",
    required=True,
    metavar="INDEX",
    help="A folder, or postgresql+psycopg://USER@HOST/DATABASE.  [env: LINEUP_INDEX]",
)


def author(command: str) -> str:
    """Who the audit chain names for a sub-command."""
    return f"search-api {command} ({getpass.getuser()})"
