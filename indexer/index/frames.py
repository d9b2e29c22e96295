"""What an index knows as data frames; pandas is loaded on use."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from indexer.index.cards import cards
from indexer.index.core import Index

if TYPE_CHECKING:
    import pandas as pd


def images(index: Index, generation: int | None = None) -> "pd.DataFrame":
    """One row per image, by sha256: where it is, what is known of it, its family in force with
    the strength of that, and its place on the map (NaN without one); metadata as meta.<key>."""
    import pandas as pd

    store = index.store
    at = store.generation if generation is None else generation
    member = {m.sha256: m for m in store.families.memberships(at)}
    build = store.families.build(at)
    place = {f.sha256: f for f in store.families.found(build.generation)} if build else {}
    rows = [
        {
            "sha256": image.sha256,
            "uri": image.uris[0],
            **asdict(image.annotation),
            "family_id": member[image.sha256].family if image.sha256 in member else None,
            "strength": member[image.sha256].strength if image.sha256 in member else 0.0,
            "score": image.score,
            "width": image.facts.width,
            "height": image.facts.height,
            "format": image.facts.format,
            "x": place[image.sha256].x if image.sha256 in place else None,
            "y": place[image.sha256].y if image.sha256 in place else None,
            **{f"meta.{key}": value for key, value in image.metadata.items()},
        }
        for image in store.images(store.ids(generation=at), generation=at)
    ]
    return pd.DataFrame(rows).set_index("sha256") if rows else pd.DataFrame()


def families(index: Index, generation: int | None = None) -> "pd.DataFrame":
    """One row per family in force, by id, largest first: `indexer.families.describe.Family`."""
    import pandas as pd

    found = [asdict(family) for family in cards(index, generation)]
    return pd.DataFrame(found).set_index("id") if found else pd.DataFrame()


def labels(index: Index, generation: int | None = None) -> "pd.DataFrame":
    """One row per decision, by its number: who said what when; `undone` by a later one."""
    import pandas as pd

    from indexer.families.decisions import active
    from indexer.index.standing import decisions_of

    store = index.store
    force = {decision.number for decision in active(decisions_of(store, generation))}
    rows = [
        {
            "decision": made.generation,
            "at": made.at,
            "author": made.author,
            "kind": made.action["kind"],
            "undone": made.generation not in force and made.action["kind"] != "undo",
            "what": json.dumps({k: v for k, v in made.action.items() if k != "kind"}),
        }
        for made in store.families.decisions(generation)
    ]
    columns = ["decision", "at", "author", "kind", "undone", "what"]
    return pd.DataFrame(rows, columns=columns).set_index("decision")
