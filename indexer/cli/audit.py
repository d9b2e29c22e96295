"""indexer audit show, verify and export."""

import sys

import click

from indexer.cli.options import author, index_option, json_option, print_json


@click.group()
def audit() -> None:
    """Show, verify or export the record of everything that was done to an index.

    Every build, query, label, fit, removal and export is a row that holds the hash of the one
    before it. docs/evidence.md says what that proves and what it does not.

    \b
    Example:
      indexer audit verify --index my.index
    """


@audit.command()
@index_option
@click.option("--last", type=click.IntRange(1), default=20, show_default=True, help="How many.")
@json_option
def show(index_path: str, last: int, as_json: bool) -> None:
    """Print the latest rows.

    \b
    Example:
      indexer audit show --index my.index --last 5
    """
    from dataclasses import asdict

    from indexer.cli.tables import print_audit
    from indexer.index import Index

    with Index.open(index_path) as index:
        rows = list(index.store.audit.rows(last))
    if as_json:
        print_json({"rows": [asdict(row) for row in rows]})
    else:
        print_audit(rows)


@audit.command()
@index_option
@click.option(
    "--expect-head", metavar="NUMBER:HASH", help="A head noted earlier; must still be in the chain."
)
@json_option
def verify(index_path: str, expect_head: str | None, as_json: bool) -> None:
    """Check that no row was edited, removed or moved, and that the index holds what they tell.

    Somebody who can write to the file could also write the whole chain anew. Note the head that
    this prints in another place: with --expect-head such a chain is told from the true one.
    Exit code 1 when something is wrong.

    \b
    Example:
      indexer audit verify --index my.index
    """
    from indexer.custody import Head
    from indexer.index import Index
    from indexer.index.audit import verify as check

    kept = None if expect_head is None else Head.parse(expect_head)
    with Index.open(index_path) as index:
        report = check(index, kept)
    if as_json:
        print_json(report)
    elif report["ok"]:
        click.echo(f"ok: {report['rows']} rows, the chain is whole\nhead {report['head']}")
    else:
        click.echo("\n".join(report["problems"]))
    if not report["ok"]:
        sys.exit(1)


@audit.command()
@index_option
@click.option("--to", "target", required=True, metavar="FILE", help="The file to write.")
def export(index_path: str, target: str) -> None:
    """Write the chain as JSON lines, one row each.

    \b
    Example:
      indexer audit export --index my.index --to audit.jsonl
    """
    from indexer.index import Index
    from indexer.index.audit import export as write

    with Index.open(index_path) as index:
        head = write(index, target, author())
    click.echo(f"{head.number} rows in {target}\nhead {head}")
