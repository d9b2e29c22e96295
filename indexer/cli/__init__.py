"""The `indexer` command: a thin face. Sub-commands load on use, so `--help` needs no torch."""

import importlib
import keyword
import sys

import click

from indexer import __version__
from indexer.errors import LineupError, UsageError

COMMANDS = {
    "build": "Index images: create an index or add to it.",
    "search": "Find the known images that are most like this one.",
    "explain": "Draw what matched in two images, or what speaks for fake in one.",
    "info": "Say what an index holds.",
    "verify": "Check an index against itself: sums, counts, passport, orphans.",
    "fit": "Fit the projection and the calibration anew, on the gallery as it is now.",
    "evaluate": "Measure how well this index finds families.",
    "audit": "Show, verify or export the record of everything that was done to an index.",
    "report": "Make a signed evidence report about an image, or verify one.",
    "families": "Find families of fakes, look at them, decide upon them.",
    "label": "Say what images are: real or fake, and of which family.",
    "remove": "Take images out of the gallery, from the next generation on.",
    "export": "Write embeddings and metadata, or all encodings, as files.",
    "import": "Take over encodings that were made elsewhere.",
    "merge": "Take over all images of other indexes.",
    "copy": "Copy an index to another place or engine, history and all.",
    "upgrade": "Bring an index of an earlier release to this one's schema.",
    "demo": "Make a sample collection, index it, search it.",
    "model": "List, inspect, fetch and verify checkpoints.",
}


class LazyGroup(click.Group):
    """Sub-command NAME is the object NAME of the module `indexer.cli.NAME`; with an underscore
    where Python keeps the name for itself."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        name = f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name
        command: click.Command = getattr(importlib.import_module(f"indexer.cli.{name}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="indexer")
def indexer() -> None:
    """Have we seen this kind of fake before, and what else came from the same hand?

    \b
    Example:
      indexer build photos/ --index my.index
      indexer search suspicious.jpg --index my.index
    """


def main() -> None:
    """Run the command; an expected failure is one line on stderr and exit code 1 (usage: 2)."""
    try:
        indexer()
    except LineupError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2 if isinstance(error, UsageError) else 1)
