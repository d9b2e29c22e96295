"""Progress on stderr (done, rate and time left, silent when it is no terminal) and timings."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def progress_bar(
    title: str, total: int | None, unit: str = "images"
) -> Iterator[Callable[[int], None]]:
    """Yields a function that is told how many of `total`, if known, are done."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=total, rate="")

        def advance(done: int) -> None:
            elapsed = progress.tasks[task].elapsed or 0.0
            rate = f"{done / elapsed:.1f} {unit}/s" if elapsed else ""
            progress.update(task, completed=done, rate=rate)

        yield advance


def print_timings(seconds: Mapping[str, float], images: int) -> None:
    """A line for each step of `indexer.index.Timings.to_dict`, the longest first."""
    steps = {name: value for name, value in seconds.items() if name != "clock"}
    total = sum(steps.values())
    click.echo(f"processor time {total:.1f} s in {seconds['clock']:.1f} s by the clock:")
    for name, value in sorted(steps.items(), key=lambda step: -step[1]):
        each = f"  {1000 * value / images:7.1f} ms an image" if images else ""
        click.echo(f"  {name:10}{value:8.1f} s  {value / total:6.1%}{each}")
