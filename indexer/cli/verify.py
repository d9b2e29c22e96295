"""indexer verify."""

import sys

import click

from indexer.cli.options import index_option, json_option, print_json


@click.command()
@index_option
@json_option
def verify(index_path: str, as_json: bool) -> None:
    """Check an index against itself: sums, counts, passport, orphans.

    Exit code 1 when something is wrong; each problem says what to do.

    \b
    Example:
      indexer verify --index my.index
    """
    from indexer.index import Index
    from indexer.index.inspect import verify as check

    with Index.open(index_path) as index:
        report = check(index)
    if as_json:
        print_json(report)
    elif report["ok"]:
        click.echo(
            f"ok: {report['counts']['images']} images at generation {report['generation']}, "
            f"{len(report['derived'])} derived sets, nothing wrong"
        )
    else:
        for problem in report["problems"]:
            click.echo(f"{problem['what']}\n  -> {problem['do']}")
    if not report["ok"]:
        sys.exit(1)
