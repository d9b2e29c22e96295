"""Who encodes a build: this process, or a Ray cluster."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from indexer.errors import UsageError

if TYPE_CHECKING:
    from indexer.index.runner import Runner

F = TypeVar("F", bound=Callable[..., Any])


def runner_options(command: F) -> F:
    """--runner, and what a cluster has to be told."""
    options = (
        click.option(
            "--runner",
            type=click.Choice(["local", "ray"]),
            default="local",
            show_default=True,
            help="Who encodes: this process, or a Ray cluster (docs/scale.md).",
        ),
        click.option(
            "--address",
            metavar="HOST:PORT",
            help="The cluster's head, or auto. Default: RAY_ADDRESS, else one on this machine.",
        ),
        click.option(
            "--actors",
            type=click.IntRange(1),
            help="Encoders at a time, at most. Default: as many as there is room for.",
        ),
        click.option("--cpus-per-actor", type=click.IntRange(1), help="Default: 1."),
        click.option(
            "--gpus-per-actor",
            type=click.FloatRange(0),
            help="May be a share of one. Default: 1 where the cluster has any, else 0.",
        ),
        click.option(
            "--shared",
            metavar="DIR|URL",
            help="Where all nodes leave encodings until they are committed. Needed where there are "
            "several machines. Default: in the index.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def chosen_runner(runner: str, engine: str, device: str, ray: dict[str, Any]) -> "Runner":
    """What the options say; `engine` and `device` are the workers'. Raises UsageError on
    options for Ray without it."""
    if runner == "local":
        if given := [name for name, value in ray.items() if value is not None]:
            raise UsageError(f"--{given[0].replace('_', '-')} without --runner ray")
        from indexer.index.runner import LocalRunner

        return LocalRunner()
    from indexer.index.ray_runner import RayRunner, Room

    room = Room(ray["actors"], ray["cpus_per_actor"] or 1, ray["gpus_per_actor"])
    return RayRunner(ray["address"], ray["shared"], room, {"engine": engine, "device": device})
