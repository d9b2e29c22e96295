"""Results as a person reads them in a terminal."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from indexer.calibration import odds, one_in
from indexer.cli.options import printable
from indexer.custody import Row
from indexer.evaluation import Baseline, Evaluation, Measured
from indexer.families.describe import Family
from indexer.images.region import Region
from indexer.index import Answer, Hit, RegionAnswer, RegionHit
from indexer.store import Change, Decided, Membership

LONG_HEX = re.compile("([0-9a-f]{12})[0-9a-f]{20,}")
"""A hash, of which the beginning is shown."""


class _Console(Console):
    """File and family names are somebody else's text: nothing in them is obeyed."""

    def render_str(self, text: str, **options: Any) -> Text:  # noqa: ANN401 as rich has it
        lines = map(printable, text.split("\n"))
        return super().render_str("\n".join(lines), **options)


def _console() -> Console:
    return _Console(markup=False, highlight=False)


def print_answer(answer: Answer) -> None:
    """The verdict with its reason, the candidate families, then a ranked table of hits."""
    console = _console()
    console.print(f"{answer.conclusion.verdict}: {answer.conclusion.reason}", style="bold")
    for candidate in answer.families:
        console.print(f"  could be {candidate.family} (p = {candidate.p_value:.2f})")
    score = "no score (no head)" if answer.score is None else f"score {answer.score:.3f}"
    if answer.probability_fake is not None:
        score += f", calibrated p(fake) {answer.probability_fake:.2f}"
    console.print(f"{score}; generation {answer.generation}; query {answer.query_sha256[:12]}")
    reranked = any(hit.patch_similarity is not None for hit in answer.hits)
    table = _hits(*["patches"] * reranked, "similarity", "by chance", "odds")
    for rank, hit in enumerate(answer.hits, 1):
        table.add_row(
            str(rank),
            *([] if hit.patch_similarity is None else [f"{hit.patch_similarity:.3f}"]),
            f"{hit.similarity:.3f}",
            "-" if hit.false_match_rate is None else one_in(hit.false_match_rate.upper),
            "-" if hit.likelihood_ratio is None else odds(hit.likelihood_ratio.log10),
            *_known(hit),
        )
    console.print(table)
    if reranked:
        console.print("patches: mean cosine of the query's patches with their best matches there.")
    console.print(
        "by chance: so many unrelated pairs of this gallery are as alike, at most (95%).\n"
        "odds: likelihood ratio, same family : another family."
    )
    for figure, reason in answer.missing.items():
        console.print(f"no {figure}: {reason}")
    console.print("A similarity is a lead, not proof: docs/reading-a-result.md")


def _hits(*figures: str) -> Table:
    """An empty table of hits: rank, figures, and what `_known` tells."""
    table = Table(box=None)
    for name in ("#", *figures, "label", "family"):
        table.add_column(name, no_wrap=True)
    table.add_column("image", overflow="fold")
    return table


def _known(hit: Hit | RegionHit) -> tuple[str, str, str]:
    return hit.label or "-", hit.family or "-", "/".join(Path(hit.uri).parts[-2:])


def print_region_answer(answer: RegionAnswer) -> None:
    """A ranked table of images that show a region, and where they show it."""
    console = _console()
    console.print(
        f"region {_pixels(answer.region)} of {answer.query_sha256[:12]}, {answer.patches} "
        f"patches; generation {answer.generation}"
    )
    table = _hits("agreement", "by chance", "shown at x,y,w,h")
    for rank, hit in enumerate(answer.hits, 1):
        table.add_row(
            str(rank),
            f"{hit.agreement:.3f}",
            f"{hit.by_chance:.3f}",
            _pixels(hit.region),
            *_known(hit),
        )
    console.print(table)
    console.print(
        "agreement: how well the region's best matches fit one place and scale, from 0 to 1.\n"
        "by chance: the share of a sample of the gallery that agrees as well.\n"
        "A region that looks alike is a lead, not proof: docs/regions.md"
    )


def _pixels(region: Region) -> str:
    return ",".join(f"{value:.0f}" for value in astuple(region))


def print_audit(rows: list[Row]) -> None:
    """Rows of the audit chain, oldest first."""
    table = Table(box=None)
    for name in ("#", "at", "kind", "author", "generation"):
        table.add_column(name, no_wrap=True)
    table.add_column("details", overflow="fold")
    for row in rows:
        generation = "-" if row.generation is None else str(row.generation)
        details = LONG_HEX.sub(r"\1", row.details)
        table.add_row(str(row.number), row.at, row.kind, row.author, generation, details)
    _console().print(table)


def print_evaluation(evaluation: Evaluation) -> None:
    """Families found, beside the baselines; then whether the calibrated figures hold."""
    console = _console()
    table = Table(box=None)
    table.add_column("", no_wrap=True)
    for name in ("P@1", "P@10", "mAP", "P@10 across sources", "real/fake AUC"):
        table.add_column(name, justify="right")
    rows: list[tuple[str, Evaluation | Baseline]] = [("descriptor", evaluation)]
    for name, figures in [*rows, *evaluation.baselines.items()]:
        family = figures.family
        row = (family.p_at_1, family.p_at_10, family.map, figures.cross_source, figures.knn_auc)
        table.add_row(name, *map(_measured, row))
    console.print(
        f"{evaluation.queries['images']} queries, {evaluation.gallery['images']} images"
        f" of {evaluation.gallery['families']} families in the gallery"
    )
    console.print(table)
    for rate, check in evaluation.fmr.items():
        console.print(
            f"false-match rate {rate}: {check.observed:.5f} seen, {check.low:.5f} to "
            f"{check.high:.5f} stated, {'holds' if check.holds else 'does not hold'}"
        )
    if evaluation.cllr is not None:
        cllr = evaluation.cllr
        console.print(
            f"likelihood ratios: Cllr {_bits(cllr.all)}, across sources "
            f"{_bits(cllr.cross_source)}, at best {_bits(cllr.min)} (0 is perfect, 1 says nothing)"
        )
    if evaluation.mean_novelty_auroc is not None:
        console.print(f"novel families told from known: AUROC {evaluation.mean_novelty_auroc:.3f}")


def _measured(figure: Measured) -> str:
    if figure.value is None:
        return "-"
    return f"{figure.value:.3f} ({figure.low:.2f}-{figure.high:.2f})"


def _bits(cllr: float | None) -> str:
    return "-" if cllr is None else f"{cllr:.3f}"


def print_families(families: Sequence[Family]) -> None:
    """One family to a line."""
    table = Table(box=None, pad_edge=False)
    table.add_column("family", no_wrap=True)
    table.add_column("name", overflow="fold", min_width=12)
    table.add_column("from")
    for name in ("images", "said", "purity", "cohesion", "stable", "fake"):
        table.add_column(name, justify="right", no_wrap=True)
    for family in families:
        table.add_row(
            family.id,
            family.name,
            family.name_from,
            str(family.size),
            str(family.labelled),
            *map(_share, (family.purity, family.cohesion, family.stability, family.fake_share)),
        )
    _console().print(table)


def print_family(family: Family, members: Sequence[Membership], history: Sequence[Change]) -> None:
    """One family: its facts, its members, what became of it."""
    print_facts(asdict(family))
    table = Table(box=None)
    for name in ("member", "strength", "rests on"):
        table.add_column(name, no_wrap=True)
    for member in members:
        said = "somebody's word" if member.said else "clustering"
        table.add_row(member.sha256, f"{member.strength:.2f}", said)
    _console().print(table)
    print_lineage(history)


def print_lineage(changes: Sequence[Change]) -> None:
    """One change to a line."""
    table = Table(box=None)
    for name in ("generation", "change", "from", "to", "images"):
        table.add_column(name, no_wrap=True)
    for change in changes:
        row = (change.before or "-", change.after or "-", str(change.images))
        table.add_row(str(change.generation), change.kind, *row)
    _console().print(table)


def print_decisions(decisions: Sequence[Decided]) -> None:
    """One decision to a line."""
    table = Table(box=None)
    for name in ("decision", "at", "author", "what"):
        table.add_column(name, overflow="fold")
    for made in decisions:
        what = {key: value for key, value in made.action.items() if key != "kind"}
        said = f"{made.action['kind']} {json.dumps(what, ensure_ascii=False)}"
        table.add_row(str(made.generation), made.at, made.author, said)
    _console().print(table)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def print_facts(facts: dict[str, Any]) -> None:
    """Nested facts, one to a line; lists by their length."""
    table = Table("fact", "value", box=None, show_header=False)
    for key, value in _flat(facts):
        table.add_row(key, str(len(value)) if isinstance(value, list) else str(value))
    _console().print(table)


def _flat(facts: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for key, value in facts.items():
        if isinstance(value, dict) and value:
            rows += _flat(value, f"{prefix}{key}.")
        else:
            rows.append((prefix + key, value))
    return rows
