"""Options that several commands share, and how results are printed."""

import getpass
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from indexer.errors import UsageError

F = TypeVar("F", bound=Callable[..., Any])


def index_option(command: F) -> F:
    """--index INDEX, or LINEUP_INDEX."""
    return click.option(
        "--index",
        "index_path",
        envvar="LINEUP_INDEX",
        required=True,
        metavar="INDEX",
        help="A folder, or postgresql+psycopg://USER@HOST/DATABASE.  [env: LINEUP_INDEX]",
    )(command)


def search_options(command: F) -> F:
    """How an image is searched: -k, --label, --where, --risk and --generation."""
    options = (
        click.option("-k", default=10, show_default=True, help="How many hits."),
        click.option(
            "--label", type=click.Choice(["real", "fake"]), help="Only images so labelled."
        ),
        click.option(
            "--where", metavar="FILTER", help="Only images that match, such as \"source='x'\"."
        ),
        click.option(
            "--risk",
            default=0.05,
            show_default=True,
            help="Accepted chance of excluding the true family.",
        ),
        click.option("--generation", type=int, help="Search the gallery as it was then."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def new_file(out: str) -> Path:
    """A file that can be written and is not there yet: asked before any work, since what it is
    for takes long and is recorded. Raises UsageError."""
    path = Path(out)
    if path.exists():
        raise UsageError(f"{out} exists already", expected="a new file")
    if not path.parent.is_dir():
        raise UsageError(f"{out}: no folder {path.parent}", do="make it, or name another file")
    return path


def author() -> str:
    """Who is at the command line, for the audit chain: the operating system's user."""
    return getpass.getuser()


def json_option(command: F) -> F:
    """--json: one object on stdout and nothing else."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON object on stdout, nothing else."
    )(command)


def printable(text: str) -> str:
    """Somebody else's text as one line, with whatever a terminal would obey written out."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def print_json(value: object) -> None:
    """One JSON object on stdout; NaN is refused, since JSON has none."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def author_option(command: F) -> F:
    """--author NAME: who decides; by default the user who is logged in."""
    return click.option(
        "--author", default=getpass.getuser, show_default="you", help="Who says so."
    )(command)
