"""The maps of a report: what speaks for fake, and what matched in the nearest known image."""

from collections.abc import Callable, Mapping, Sequence

from indexer.errors import UsageError
from indexer.evidence.gather import Gathered
from indexer.explain import (
    Explanation,
    Looker,
    explain_fake,
    explain_match,
    side_encoded,
    side_stored,
)
from indexer.index import Index


def draw_maps(index: Index, looker: Looker, hits: Sequence[str], generation: int) -> Gathered:
    """`hits` (sha256) nearest first; the image itself is passed over. Where a map cannot be drawn
    the facts say why."""
    encoded = looker.encoded
    others = [sha256 for sha256 in hits if sha256 != encoded.facts.sha256]

    def match() -> Explanation:
        if not others:
            raise UsageError("no other image was found")
        here, there = (
            side_encoded(index, encoded, generation),
            side_stored(index, others[0], generation),
        )
        return explain_match(index, here, there, looker, generation)

    drawing: Mapping[str, Callable[[], Explanation]] = {
        "fake": lambda: explain_fake(index, looker, generation),
        "match": match,
    }
    drawn, missing, members = [], {}, {}
    for kind, draw in drawing.items():
        try:
            found = draw()
        except UsageError as error:
            missing[kind] = str(error)
            continue
        members[f"maps/{kind}.png"] = found.picture
        drawn.append({**found.to_dict(), "member": f"maps/{kind}.png"})
    return Gathered({"drawn": drawn, "missing": missing}, members)
