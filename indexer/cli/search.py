"""indexer search."""

import click

from indexer.cli.options import author, index_option, json_option, print_json, search_options


@click.command()
@click.argument("image", type=click.Path(exists=True, dir_okay=False))
@index_option
@click.option(
    "--region",
    metavar="X,Y,W,H",
    help="Find images that show this part, in pixels or, if none exceeds 1, in fractions.",
)
@click.option(
    "--rerank",
    is_flag=True,
    help="Order the first 100 by how well their patches match: what shows the same comes first, "
    "not what was made the same way.",
)
@search_options
@json_option
def search(
    image: str,
    index_path: str,
    region: str | None,
    rerank: bool,
    k: int,
    label: str | None,
    where: str | None,
    risk: float,
    generation: int | None,
    as_json: bool,
) -> None:
    """Find the known images that are most like this one.

    A similarity is a lead, not proof: docs/reading-a-result.md says what each figure means.

    \b
    Example:
      indexer search suspicious.jpg --index my.index -k 5 --label fake
      indexer search suspicious.jpg --index my.index --where "source = 'agency' and score > 0.5"
      indexer search suspicious.jpg --index my.index --region 0.4,0.5,0.2,0.15
    """
    from pathlib import Path

    from indexer.cli.tables import print_answer, print_region_answer
    from indexer.filters import narrowed
    from indexer.images.region import Region
    from indexer.index import Index, query_bytes, region_bytes, search_region
    from indexer.index import search as search_index
    from indexer.sources import FileItem

    if rerank and region is not None:
        raise click.UsageError("--region ranks by patches already; leave --rerank out")
    wanted = narrowed(where, label)
    box = None if region is None else Region.parse(region)
    with Index.open(index_path) as index:
        data = FileItem(Path(image)).read()
        if box is not None:
            found = search_region(
                index,
                region_bytes(index, data, box),
                k,
                where=wanted,
                generation=generation,
                author=author(),
            )
        else:
            answer = search_index(
                index,
                query_bytes(index, data, patches=rerank),
                k,
                where=wanted,
                generation=generation,
                risk=risk,
                rerank=rerank,
                author=author(),
            )
    if as_json:
        print_json(answer.to_dict() if box is None else found.to_dict())
    elif box is None:
        print_answer(answer)
    else:
        print_region_answer(found)
