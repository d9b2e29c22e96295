"""indexer search."""

import click

from indexer.cli.options import author, index_option, json_option, print_json


@click.command()
@click.argument("image", type=click.Path(exists=True, dir_okay=False))
@index_option
@click.option("-k", default=10, show_default=True, help="How many hits.")
@click.option("--label", type=click.Choice(["real", "fake"]), help="Only images so labelled.")
@click.option("--where", metavar="FILTER", help="Only images that match, such as \"source='x'\".")
@click.option(
    "--risk", default=0.05, show_default=True, help="Accepted chance of excluding the true family."
)
@click.option("--generation", type=int, help="Search the gallery as it was then.")
@json_option
def search(
    image: str,
    index_path: str,
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
    """
    from pathlib import Path

    from indexer.cli.tables import print_answer
    from indexer.filters import narrowed
    from indexer.index import Index, query_bytes
    from indexer.index import search as search_index
    from indexer.sources import FileItem

    wanted = narrowed(where, label)
    with Index.open(index_path) as index:
        query = query_bytes(index, FileItem(Path(image)).read())
        answer = search_index(
            index, query, k, where=wanted, generation=generation, risk=risk, author=author()
        )
    if as_json:
        print_json(answer.to_dict())
    else:
        print_answer(answer)
