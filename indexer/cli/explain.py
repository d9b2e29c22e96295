"""indexer explain."""

import click

from indexer.cli.options import author, index_option, json_option, new_file, print_json


@click.command()
@click.argument("image", type=click.Path(exists=True, dir_okay=False))
@index_option
@click.option("--hit", metavar="SHA256", help="What matched in this image of the gallery.")
@click.option(
    "--with",
    "other",
    type=click.Path(exists=True, dir_okay=False),
    help="What matched in this file, of which all patches are compared.",
)
@click.option("--out", required=True, metavar="FILE", help="The PNG file to write; a new one.")
@json_option
def explain(
    image: str, index_path: str, hit: str | None, other: str | None, out: str, as_json: bool
) -> None:
    """Draw what matched in two images, or what speaks for fake in one.

    With --hit or --with the one, without them the other. Each map is compared with chance:
    docs/maps.md says how, and what a map does not show.

    \b
    Example:
      indexer explain suspicious.jpg --index my.index --out fake.png
      indexer explain suspicious.jpg --hit 5f3a... --index my.index --out match.png
      indexer explain suspicious.jpg --with known.jpg --index my.index --out match.png
    """
    from pathlib import Path

    from indexer.errors import UsageError
    from indexer.explain import (
        Local,
        explain_fake,
        explain_match,
        record,
        side_encoded,
        side_stored,
    )
    from indexer.index import Index
    from indexer.sources import FileItem

    if hit is not None and other is not None:
        raise UsageError("--hit and --with", expected="one of them, or neither")
    target = new_file(out)
    with Index.open(index_path) as index:
        generation = index.store.generation
        local = Local.of(index, FileItem(Path(image)).read())
        if hit is None and other is None:
            found = explain_fake(index, local, generation)
        else:
            if other is None:
                there = side_stored(index, str(hit), generation)
            else:
                known = Local.of(index, FileItem(Path(other)).read())
                there = side_encoded(index, known.encoded, generation)
            here = side_encoded(index, local.encoded, generation)
            found = explain_match(index, here, there, local, generation)
        record(index, found, author())
    target.write_bytes(found.picture)
    if as_json:
        print_json(found.to_dict())
    else:
        for sentence in found.says:
            click.echo(sentence)
        click.echo(f"{out}: docs/maps.md says what a map shows and what not")
