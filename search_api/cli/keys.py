"""search-api keys: add, list, revoke."""

import click

from search_api.cli.options import author, index_option


@click.group()
def keys() -> None:
    """Say who may use the service. Once there is a key, every request needs one.

    A running service notices within a second.
    """


@keys.command()
@click.argument("name")
@index_option
@click.option(
    "--scopes",
    default="read",
    show_default=True,
    metavar="SCOPES",
    help="Of read, label, ingest and admin (all), separated by commas.",
)
def add(name: str, index_path: str, scopes: str) -> None:
    """Make a key and print it. It is shown this once: only a salted hash is kept.

    \b
    Example:
      search-api keys add newsroom --index my.index --scopes read,label
      curl -H "Authorization: Bearer $KEY" http://127.0.0.1:8000/v1/images/...
    """
    from indexer.index import Index
    from search_api.keys import new_key

    key, kept = new_key(name, frozenset(scopes.split(",")))
    with Index.open(index_path) as index, index.store.commit("key added", author("keys")) as txn:
        txn.add_key(kept)
    click.echo(key)


@keys.command(name="list")
@index_option
def list_(index_path: str) -> None:
    """List the keys that have not been revoked."""
    from indexer.index import Index

    with Index.open(index_path) as index:
        known = index.store.api_keys()
    if not known:
        click.echo("no keys: every request is answered, unless --auth required", err=True)
    for key in known:
        scopes = ",".join(sorted(key.scopes))
        click.echo(f"{key.name}\t{scopes}\tlineup_{key.key_id}_...\tgeneration {key.added_gen}")


@keys.command()
@click.argument("name")
@index_option
def revoke(name: str, index_path: str) -> None:
    """Let a key in no more."""
    from indexer.index import Index

    with Index.open(index_path) as index, index.store.commit("key revoked", author("keys")) as txn:
        txn.revoke_key(name)
    click.echo(f"{name} is revoked", err=True)
