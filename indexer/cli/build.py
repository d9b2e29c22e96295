"""indexer build."""

import sys
from typing import TYPE_CHECKING, Any

import click

from indexer.cli.options import author, index_option, json_option, print_json, printable
from indexer.cli.runner import chosen_runner, runner_options

if TYPE_CHECKING:
    from indexer.index import Index
    from indexer.index.keeping import PatchPolicy

DEFAULT_CHECKPOINT = "community-forensics"
SHOWN = 10
"""So many rejects are printed; all of them are in the index."""


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@index_option
@click.option(
    "--checkpoint",
    metavar="REF",
    help="A name from `indexer model list`, a folder, or ORG/NAME@REVISION. "
    f"Default: the index's own, else {DEFAULT_CHECKPOINT}.",
)
@click.option(
    "--layout",
    type=click.Choice(["auto", "imagefolder", "shards"]),
    default="auto",
    show_default=True,
    help="imagefolder: real/ and fake/FAMILY/ become labels; shards: tar and Parquet files below.",
)
@click.option(
    "--where", metavar="FILTER", help="Only inputs that match, such as \"label = 'fake'\"."
)
@click.option("--fake-label", help="Which of the checkpoint's labels means fake.")
@click.option(
    "--engine",
    type=click.Choice(["auto", "torch", "openvino"]),
    default="auto",
    show_default=True,
    help="What computes; auto: openvino on a CPU where it is installed.",
)
@click.option("--device", default="auto", show_default=True, help="For torch: cpu, cuda, mps, xla.")
@click.option(
    "--precision",
    default="auto",
    show_default=True,
    help="fp32, bf16, fp16 or int8; auto: the fastest that can be compared with fp32.",
)
@click.option(
    "--views",
    type=click.IntRange(1, 2),
    help="2: also encode the residual at native resolution; finds more, costs twice the time. "
    "Default: the index's own, else 1.",
)
@click.option(
    "--patches",
    metavar="all|N|none",
    help="Patch tokens kept of every image, for search by region. Default: the index's own, "
    "else 32.",
)
@click.option(
    "--tiles/--no-tiles",
    default=None,
    help="Encode the whole image in tiles, too, and keep as many patches of each: finds small "
    "regions and those near the border, for two to seven times the work. Default: the index's "
    "own, else no.",
)
@click.option(
    "--vectors",
    metavar="URL",
    help="Where vectors are searched: milvus+http://HOST:PORT or milvus+file:PATH.db, with the "
    "token in MILVUS_TOKEN. Default: the index's own, else FAISS in this process.",
)
@click.option("--thumbnails/--no-thumbnails", default=True, show_default=True)
@click.option("--timings", is_flag=True, help="Say where this process's time went.")
@runner_options
@json_option
def build(
    sources: tuple[str, ...],
    index_path: str,
    checkpoint: str | None,
    layout: str,
    where: str | None,
    fake_label: str | None,
    engine: str,
    device: str,
    precision: str,
    views: int | None,
    patches: str | None,
    tiles: bool | None,
    vectors: str | None,
    thumbnails: bool,
    timings: bool,
    runner: str,
    as_json: bool,
    **ray: Any,  # noqa: ANN401 the rest of `runner_options`
) -> None:
    """Index images: create an index or add to it.

    SOURCE is a folder, an image, or a CSV or Parquet manifest with a column `path` and
    optional columns label, family, source, captured_at; other columns are kept as metadata.
    Or shards: WebDataset tars, or Parquet with a column `image`, as 'shard-{000..099}.tar'.
    Each may be a URL (s3://, hf://, ...), with credentials in the environment.
    What the index knows already is skipped; a build that was cut short is completed.
    Exit code 3: finished, but some inputs were rejected (each with its reason).

    \b
    Example:
      indexer build photos/ --index my.index --checkpoint demo
      indexer build manifest.csv --index my.index --where "meta.role = 'gallery'"
    """
    from indexer.cli.progress import print_timings, progress_bar
    from indexer.filters import parse_filter
    from indexer.index import Timings, build_index
    from indexer.sources import open_source, total

    opened = [open_source(source, layout) for source in sources]
    if where is not None:
        opened = [source.select(parse_filter(where)) for source in opened]
    keep = _policy(index_path, patches, tiles)
    encodes = chosen_runner(runner, engine, device, ray)
    if runner == "ray":  # engine and device are the workers', which this machine may lack
        engine = device = "auto"
    chosen = {"engine": engine, "device": device, "precision": precision}
    index = _open(index_path, checkpoint, fake_label, chosen, views, keep, vectors)
    spent = Timings()
    with index, progress_bar("Indexing", total(opened)) as advance:
        summary = build_index(
            index,
            opened,
            runner=encodes,
            thumbnails=thumbnails,
            author=author(),
            on_progress=lambda so_far: advance(so_far.done),
            timings=spent,
        )
        rejects = index.store.rejects()
    if as_json:
        print_json({**summary.to_dict(), **({"timings": spent.to_dict()} if timings else {})})
    else:
        click.echo(
            f"{summary.added} added, {summary.known} known, "
            f"{summary.rejected.total()} rejected in {summary.seconds:.1f} s "
            f"({summary.images_per_second:.1f} images/s); generation {summary.generation}"
        )
        for reject in rejects[:SHOWN]:
            click.echo(printable(f"  rejected {reject.uri}: {reject.detail}"))
        if len(rejects) > SHOWN:
            click.echo(f"  {len(rejects) - SHOWN} more: indexer info --index {index_path} --json")
        if timings:
            print_timings(spent.to_dict(), summary.added)
    if summary.rejected:
        sys.exit(3)


def _open(
    path: str,
    checkpoint: str | None,
    fake_label: str | None,
    chosen: dict[str, Any],
    views: int | None,
    keep: "PatchPolicy",
    vectors: str | None,
) -> "Index":
    """The index to add to, with the encoder that was asked for; refused where they differ."""
    from indexer.encoder import load_encoder
    from indexer.errors import UsageError
    from indexer.index import Index
    from indexer.vectors.milvus import checked_url

    if not Index.exists(path):
        ref = checkpoint or DEFAULT_CHECKPOINT
        encoder = load_encoder(ref, fake_label=fake_label, views=views or 1, **chosen)
        return Index.create(path, encoder, author(), keep, vectors)
    index = Index.open(path)
    if vectors is not None and checked_url(vectors) != index.vectors:
        raise UsageError(
            f"--vectors {vectors}",
            expected=f"{index.vectors or 'FAISS'}, as in {path}",
            do="leave out --vectors, or build another index",
        )
    known = dict(index.store.reference["load"])
    another = checkpoint is not None and not index.names(checkpoint)
    load = {"ref": checkpoint, "fake_label": fake_label} if another else known
    given = {name: value for name, value in chosen.items() if value != "auto"}
    if another or given or views not in (None, known["views"]):
        index.use(load_encoder(**{**load, "views": views or known["views"], **given}))
    return index


def _policy(path: str, patches: str | None, tiles: bool | None) -> "PatchPolicy":
    """What the images shall keep: what the index says; to ask for something else is refused."""
    from indexer.errors import UsageError
    from indexer.index import Index
    from indexer.index.keeping import PatchPolicy

    own = PatchPolicy()
    if exists := Index.exists(path):
        with Index.open(path) as index:
            own = index.patch_policy
    count = own.count
    if patches is not None:
        named = {"all": None, "none": 0}
        if patches not in named and not patches.isdigit():
            raise UsageError(f"--patches {patches}", expected="all, none or a number")
        count = named[patches] if patches in named else int(patches)
    asked = PatchPolicy(count, own.tiles if tiles is None else tiles)
    if exists and asked != own:
        raise UsageError(
            f"{asked} of every image asked for",
            expected=f"{own}, as in {path}",
            do="leave out --patches and --tiles, or build another index",
        )
    return asked
