"""indexer model: the checkpoints that are known, here, and whole."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from indexer.cli.options import json_option, print_json

if TYPE_CHECKING:
    from indexer.checkpoints import Checkpoint


@click.group()
def model() -> None:
    """List, inspect, fetch and verify checkpoints.

    \b
    Example:
      indexer model list
    """


@model.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """List the checkpoints that are known by name.

    \b
    Example:
      indexer model list
    """
    from indexer.checkpoints import is_local, list_known

    rows = [
        {
            "name": known.name,
            "local": is_local(known.name),
            "source": known.repository or "bundled",
            "revision": known.revision,
            "licence": known.licence,
            "summary": known.summary,
        }
        for known in list_known()
    ]
    if as_json:
        print_json({"checkpoints": rows})
        return
    for row in rows:
        here = "on this machine" if row["local"] else "to be pulled"
        click.echo(
            f"{row['name']} ({here}, {row['licence']})\n  {row['summary']}\n  {row['source']}"
        )


@model.command()
@click.argument("ref")
@click.option("--fake-label", help="Name of the fake class, where the checkpoint does not say.")
@json_option
def info(ref: str, fake_label: str | None, as_json: bool) -> None:
    """Say what the checkpoint REF is: a known name, a directory, or org/name@revision.

    \b
    Example:
      indexer model info community-forensics
    """
    from dataclasses import asdict

    from indexer.checkpoints import is_local, load_registry, resolve

    known = load_registry().get(ref)
    if known and not is_local(ref):
        _show({**asdict(known), "local": False}, as_json)
    else:
        checkpoint = resolve(ref, fake_label=fake_label, download=False)
        _show({**_facts(checkpoint), "local": True}, as_json)


@model.command()
@click.argument("ref")
@click.option("--to", type=click.Path(path_type=Path), help="Directory, instead of the cache.")
@json_option
def pull(ref: str, to: Path | None, as_json: bool) -> None:
    """Fetch the checkpoint REF once and check it; afterwards no network is needed.

    \b
    Example:
      indexer model pull community-forensics --to /media/stick/community-forensics
    """
    from indexer.checkpoints import pull as fetch

    _show(_facts(fetch(ref, to=to)), as_json)


@model.command()
@click.argument("ref")
@click.option("--fake-label", help="Name of the fake class, where the checkpoint does not say.")
@json_option
def verify(ref: str, fake_label: str | None, as_json: bool) -> None:
    """Check the files of REF: size, sha256 and every tensor. Exit code 1 when one is wrong.

    \b
    Example:
      indexer model verify community-forensics
    """
    from indexer.checkpoints import resolve

    checkpoint = resolve(ref, fake_label=fake_label, download=False)
    if as_json:
        print_json({"ok": True, **_facts(checkpoint)})
    else:
        click.echo(f"ok: {checkpoint.name}, sha256 {checkpoint.weights_sha256}")


@model.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--to", required=True, type=click.Path(path_type=Path), help="Directory to write.")
def convert(file: Path, to: Path) -> None:
    """Convert the pickled weights FILE to safetensors, without running code from it.

    \b
    Example:
      indexer model convert model_v11_ViT_384_base_ckpt.pt --to commfor-384
    """
    from indexer.encoder.convert import convert as write

    click.echo(f"wrote {write(file, to)}")


def _show(facts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(facts)
        return
    for key, value in facts.items():
        if value is not None:
            click.echo(f"{key:17} {value}")


def _facts(checkpoint: "Checkpoint") -> dict[str, Any]:
    from dataclasses import asdict

    facts = asdict(checkpoint)
    return {**facts, "directory": str(checkpoint.directory)}
