"""indexer demo."""

import click


@click.command()
@click.option("--to", "folder", default="build/demo", show_default=True, metavar="DIR")
def demo(folder: str) -> None:
    """Make a sample collection, index it, search it.

    Draws about 340 pictures, real and manipulated, from free photographs and from seeds, and
    uses the bundled demo checkpoint; nothing is downloaded. What it shows is how Lineup works,
    not how good it is on real fakes.

    \b
    Example:
      indexer demo
      indexer search build/demo/collection/fake/warp/*.png --index build/demo/demo.index
    """
    import shutil
    from pathlib import Path

    from indexer.samples import make_collection

    root = Path(folder)
    if not (root / "collection").is_dir():
        click.echo("Drawing the sample collection ...", err=True)
        partial = root / "collection.partial"
        shutil.rmtree(partial, ignore_errors=True)
        make_collection(partial)
        partial.rename(root / "collection")
