"""Make the demo checkpoint: training images, training, export."""

from functools import partial
from pathlib import Path

import click
import torch

from recipe.backbone import convert
from recipe.data import generate, load
from recipe.export import export
from recipe.train import Plan, train


@click.command()
@click.option("--backbone", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--wallpapers", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--out", default=Path("data/demo"), type=click.Path(path_type=Path))
@click.option("--work", default=Path("build/recipe"), type=click.Path(path_type=Path))
@click.option("--images", default=1595, help="Training images to generate.")
@click.option("--steps", default=480, help="Optimizer steps.")
@click.option("--threads", default=2, help="Of torch.")
def main(
    backbone: Path, wallpapers: Path, out: Path, work: Path, images: int, steps: int, threads: int
) -> None:
    """Train the demo checkpoint from a local copy of facebook/dinov2-small.

    WALLPAPERS holds the photographs of Debian's lomiri-wallpapers-16.04
    (usr/share/backgrounds of the unpacked package). Training images are kept in WORK, with
    the weights of every 60th step.

    Example: python -m recipe --backbone dinov2-small --wallpapers usr/share/backgrounds
    """
    torch.set_num_threads(threads)
    generate(wallpapers, work / "images", images)
    pool = [load(work / "images" / f"{seed:06d}.npz") for seed in range(images)]
    model = convert(backbone).train()
    train(model, pool, Plan(steps), partial(export, model, work / "interim"))
    export(model, out)


if __name__ == "__main__":
    main()
