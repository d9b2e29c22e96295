"""indexer report: make a signed evidence report, and verify one."""

import sys

import click

from indexer.cli.options import (
    author,
    index_option,
    json_option,
    new_file,
    print_json,
    printable,
    search_options,
)

key_option = click.option(
    "--key",
    "key_path",
    type=click.Path(dir_okay=False),
    envvar="LINEUP_SIGNING_KEY",
    help="The Ed25519 key (PEM) to sign with.  [env: LINEUP_SIGNING_KEY; "
    "default: ~/.config/lineup/signing.pem, made on first use]",
)


class _Report(click.Group):
    """`report IMAGE` is `report make IMAGE`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, *ctx.help_option_names}:
            args = ["make", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Report, subcommand_metavar="IMAGE | COMMAND [ARGS]...")
def report() -> None:
    """Make a signed evidence report about an image, or verify one.

    \b
    Example:
      indexer report suspicious.jpg --index my.index --out report.zip
      indexer report verify report.zip --index my.index
    """


@report.command()
@click.argument("image", type=click.Path(exists=True, dir_okay=False))
@index_option
@click.option("--out", required=True, metavar="FILE", help="The ZIP file to write; a new one.")
@click.option("--note", default="", help="What the analyst has to say; it is signed too.")
@key_option
@search_options
def make(
    image: str,
    index_path: str,
    out: str,
    note: str,
    key_path: str | None,
    k: int,
    label: str | None,
    where: str | None,
    risk: float,
    generation: int | None,
) -> None:
    """Make a report (`report IMAGE` is short for this).

    A ZIP with report.html to read and print, report.json, the image, thumbnails of its hits, maps
    of what matched and of what speaks for fake, and the calibration, signed so that no byte can
    be changed unseen.

    \b
    Example:
      indexer report suspicious.jpg --index my.index --out report.zip --note "Case 17"
    """
    from pathlib import Path

    from indexer.custody.signing import SigningKey
    from indexer.evidence import Asked, default_key, make_report
    from indexer.explain import Local
    from indexer.filters import narrowed
    from indexer.index import Index
    from indexer.sources import FileItem

    target = new_file(out)
    path = Path(image)
    asked = Asked(FileItem(path).read(), path.name, k, narrowed(where, label), generation, risk)
    key = SigningKey.load(Path(key_path)) if key_path else SigningKey.load_or_make(default_key())
    with Index.open(index_path) as index:
        looker = Local.of(index, asked.image)
        package = make_report(index, asked, looker, key, note=note, author=author())
    target.write_bytes(package)
    click.echo(f"{out}: {len(package):,} bytes, signed with the key {key.public}")


@report.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--index", "index_path", metavar="INDEX", help="Also replay the search on this index."
)
@click.option("--public-key", metavar="HEX", help="The key that it has to be signed with.")
@json_option
def verify(file: str, index_path: str | None, public_key: str | None, as_json: bool) -> None:
    """Check that a report is what was signed, and that its index still says the same.

    Exit code 1 when it was altered or the replay differs; each difference is named.

    \b
    Example:
      indexer report verify report.zip --index my.index --public-key 5f3a...e1
    """
    from contextlib import ExitStack
    from pathlib import Path

    from indexer.custody.package import MAX_BYTES
    from indexer.evidence import verify as check
    from indexer.index import Index

    with ExitStack() as stack:
        index = stack.enter_context(Index.open(index_path)) if index_path else None
        with Path(file).open("rb") as package:
            data = package.read(MAX_BYTES + 1)  # more is refused, whatever it is
        found = check(data, public_key=public_key, index=index, author=author())
    if as_json:
        print_json(found.to_dict())
    else:
        for problem in found.problems:
            click.echo(printable(f"not to be trusted: {problem}"))
        for difference in found.differences:
            click.echo(printable(f"differs: {difference}"))
        if found.ok:
            click.echo(f"unaltered, signed with the key {found.public_key}")
            if public_key is None:
                click.echo("whose key that is has to be known from elsewhere: --public-key")
        if found.ok and index is not None:
            click.echo("replayed: the same hits, the same figures; the audit chain is whole")
    if not found.ok:
        sys.exit(1)


@report.command()
@key_option
def key(key_path: str | None) -> None:
    """Print the public key, for others to check reports with.

    \b
    Example:
      indexer report key
    """
    from pathlib import Path

    from indexer.custody.signing import SigningKey
    from indexer.evidence import default_key

    made = SigningKey.load(Path(key_path)) if key_path else SigningKey.load_or_make(default_key())
    click.echo(made.public)
