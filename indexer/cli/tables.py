"""Results as a person reads them in a terminal."""

from typing import Any

from rich.console import Console
from rich.table import Table

from indexer.index import Answer


def print_answer(answer: Answer) -> None:
    """A ranked table of hits."""
    console = Console()
    score = "none (this checkpoint has no head)" if answer.score is None else f"{answer.score:.3f}"
    console.print(
        f"query {answer.query_sha256[:16]}  checkpoint score {score}  "
        f"generation {answer.generation}"
    )
    table = Table("#", "similarity", "label", "family", "source", "score", "image", box=None)
    for rank, hit in enumerate(answer.hits, 1):
        table.add_row(
            str(rank),
            f"{hit.similarity:.3f}",
            hit.label or "-",
            hit.family or "-",
            hit.source or "-",
            "-" if hit.score is None else f"{hit.score:.3f}",
            hit.uri,
        )
    console.print(table)


def print_facts(facts: dict[str, Any]) -> None:
    """Nested facts, one to a line; lists by their length."""
    table = Table("fact", "value", box=None, show_header=False)
    for key, value in _flat(facts):
        table.add_row(key, str(len(value)) if isinstance(value, list) else str(value))
    Console().print(table)


def _flat(facts: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for key, value in facts.items():
        if isinstance(value, dict) and value:
            rows += _flat(value, f"{prefix}{key}.")
        else:
            rows.append((prefix + key, value))
    return rows
