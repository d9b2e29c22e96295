"""indexer demo."""

import click

QUERY_FAMILY = "decoder-grid"
HITS = 8


@click.command()
@click.option("--to", "folder", default="build/demo", show_default=True, metavar="DIR")
def demo(folder: str) -> None:
    """Make a sample collection, index it, search it.

    Draws some 340 pictures, real and manipulated, from free photographs and from seeds, and
    uses the bundled demo checkpoint; nothing is downloaded. It shows how Lineup works, not how
    good it is on real fakes.

    \b
    Example:
      indexer demo
      indexer search build/demo/collection/fake/warp/*3.png --index build/demo/demo.index
    """
    import shutil
    from pathlib import Path

    from indexer.cli.progress import progress_bar
    from indexer.cli.tables import print_answer
    from indexer.encoder import load_encoder
    from indexer.filters import parse_filter
    from indexer.index import Index, build_index, query_bytes, search
    from indexer.index.evaluate import evaluate_index
    from indexer.samples import make_collection
    from indexer.sources import read_manifest

    root = Path(folder)
    collection, index_path = root / "collection", root / "demo.index"
    if not collection.is_dir():
        click.echo("1. Drawing the sample collection")
        partial = root / "collection.partial"
        shutil.rmtree(partial, ignore_errors=True)
        make_collection(partial)
        partial.rename(collection)
    everything = read_manifest(collection / "manifest.csv")
    gallery = everything.select(parse_filter("meta.role = 'gallery'"))
    queries = everything.select(parse_filter("meta.role = 'query'"))

    exists = Index.exists(index_path)
    click.echo(f"2. Indexing {len(gallery)} pictures with the bundled demo checkpoint")
    index = Index.open(index_path) if exists else Index.create(index_path, load_encoder("demo"))
    with index:
        with progress_bar("Indexing", len(gallery)) as advance:
            build_index(index, [gallery], on_progress=lambda so_far: advance(so_far.done))

        asked = next(q for q in queries if q.annotation.family == QUERY_FAMILY)
        click.echo(
            f"3. Searching with a {QUERY_FAMILY} that is not in the index: {Path(asked.uri).name}"
        )
        print_answer(search(index, query_bytes(index, asked.read()), HITS))

        click.echo(f"\n4. Asking for all {len(queries)} pictures that are not in the index")
        with progress_bar("Searching", len(queries)) as advance:
            evaluation, _ = evaluate_index(index, [queries], on_progress=advance)
    family, cls = evaluation.family, evaluation.baselines["last_layer_cls"].family
    click.echo(
        f"Family P@10 {family.p_at_10.value:.3f}: that share of the ten nearest is of the right "
        f"family (last-layer CLS alone {cls.p_at_10.value:.3f}).\n\n"
        f"Where to look next:\n"
        f"  {collection}/    the pictures, by family\n"
        f"  indexer search PICTURE --index {index_path}\n"
        f"  indexer evaluate --index {index_path} --html {root}/evaluation.html\n"
        f"  search-api --index {index_path}    the same over HTTP\n"
        f"  indexer build YOUR_PHOTOS --index your.index --checkpoint demo"
    )
