"""indexer families: find, show and decide upon families."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from indexer.cli.options import author_option, index_option, json_option, print_json
from indexer.families.actions import Action, Merge, NotFake, Pin, Reject, Rename, Split, Undo

F = TypeVar("F", bound=Callable[..., Any])


@click.group()
def families() -> None:
    """Find families of fakes, look at them, decide upon them.

    Decisions take effect in the next search, survive every build and can be undone.

    \b
    Example:
      indexer families build --index my.index
      indexer families list --index my.index
      indexer families merge f1a2b3c4d5 f5d4c3b2a1 --index my.index
    """


@families.command()
@index_option
@json_option
@author_option
def build(index_path: str, as_json: bool, author: str) -> None:
    """Find families among the images that were not imported as real.

    Families keep their ids from build to build; `indexer families lineage` tells the changes.
    """
    from dataclasses import asdict

    from indexer.index import Index
    from indexer.index.families import build_families

    with Index.open(index_path) as index:
        built = build_families(index, author)
    if as_json:
        print_json(asdict(built))
        return
    news = "" if built.changed else ", as before"
    click.echo(
        f"generation {built.generation}: {built.families} families of {built.members} images"
        f"{news}; {built.noise} images in none"
    )


@families.command("list")
@index_option
@json_option
def list_(index_path: str, as_json: bool) -> None:
    """List the families, largest first."""
    from dataclasses import asdict

    from indexer.cli.tables import print_families
    from indexer.index import Index
    from indexer.index.cards import cards

    with Index.open(index_path) as index:
        found = cards(index)
    if as_json:
        print_json([asdict(family) for family in found])
    else:
        print_families(found)


@families.command()
@click.argument("family", metavar="FAMILY")
@index_option
@json_option
def show(family: str, index_path: str, as_json: bool) -> None:
    """Show one family, by id or name: exemplars, members, neighbours, lineage."""
    from dataclasses import asdict

    from indexer.cli.tables import print_family
    from indexer.index import Index
    from indexer.index.cards import card, lineage_of, members_of

    with Index.open(index_path) as index:
        found = card(index, family)
        members, history = members_of(index, found.id), lineage_of(index, found.id)
    if as_json:
        facts = {"members": list(map(asdict, members)), "lineage": list(map(asdict, history))}
        print_json(asdict(found) | facts)
    else:
        print_family(found, members, history)


@families.command()
@index_option
@json_option
def lineage(index_path: str, as_json: bool) -> None:
    """Tell every birth, death, merge and split, oldest first."""
    from dataclasses import asdict

    from indexer.cli.tables import print_lineage
    from indexer.index import Index

    with Index.open(index_path) as index:
        changes = index.store.families.lineage()
    if as_json:
        print_json([asdict(change) for change in changes])
    else:
        print_lineage(changes)


@families.command()
@index_option
@json_option
def decisions(index_path: str, as_json: bool) -> None:
    """List every decision with its number, author and time."""
    from dataclasses import asdict

    from indexer.cli.tables import print_decisions
    from indexer.index import Index

    with Index.open(index_path) as index:
        made = index.store.families.decisions()
    if as_json:
        print_json([asdict(decision) for decision in made])
    else:
        print_decisions(made)


@families.command()
@click.argument("into", metavar="INTO")
@click.argument("others", nargs=-1, required=True, metavar="FAMILY...")
@index_option
@author_option
def merge(into: str, others: tuple[str, ...], index_path: str, author: str) -> None:
    """Make FAMILY... part of INTO, now and after every build."""
    _decide(index_path, author, lambda of: Merge(of(into), tuple(map(of, others))))


@families.command()
@click.argument("family", metavar="FAMILY")
@click.argument("images", nargs=-1, required=True, metavar="SHA256...")
@index_option
@author_option
def split(family: str, images: tuple[str, ...], index_path: str, author: str) -> None:
    """Make these images of FAMILY a family of their own."""
    _decide(index_path, author, lambda of: Split(of(family), images))


@families.command()
@click.argument("family", metavar="FAMILY")
@click.argument("name")
@index_option
@author_option
def rename(family: str, name: str, index_path: str, author: str) -> None:
    """Give FAMILY a name."""
    _decide(index_path, author, lambda of: Rename(of(family), name))


@families.command()
@click.argument("family", metavar="FAMILY")
@click.argument("images", nargs=-1, required=True, metavar="SHA256...")
@index_option
@author_option
def pin(family: str, images: tuple[str, ...], index_path: str, author: str) -> None:
    """Keep these images in FAMILY, whatever clustering says."""
    _decide(index_path, author, lambda of: Pin(images, of(family)))


@families.command()
@click.argument("family", metavar="FAMILY")
@click.argument("images", nargs=-1, required=True, metavar="SHA256...")
@index_option
@author_option
def reject(family: str, images: tuple[str, ...], index_path: str, author: str) -> None:
    """Keep these images out of FAMILY, whatever clustering says."""
    _decide(index_path, author, lambda of: Reject(images, of(family)))


@families.command("not-fake")
@click.argument("images", nargs=-1, required=True, metavar="SHA256...")
@index_option
@author_option
def not_fake(images: tuple[str, ...], index_path: str, author: str) -> None:
    """Say that these images are real and in no family."""
    _decide(index_path, author, lambda _: NotFake(images))


@families.command()
@click.argument("number", type=int)
@index_option
@author_option
def undo(number: int, index_path: str, author: str) -> None:
    """Take the decision with this number back; an undo can be undone, too."""
    _decide(index_path, author, lambda _: Undo(number))


def _decide(index_path: str, author: str, action: Callable[[Callable[[str], str]], Action]) -> None:
    from indexer.index import Index
    from indexer.index.cards import family_id
    from indexer.index.families import decide

    with Index.open(index_path) as index:
        number = decide(index, action(lambda family: family_id(index, family)), author)
    click.echo(f"decision {number}; take it back with: indexer families undo {number}")
