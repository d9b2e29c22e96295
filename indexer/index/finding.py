"""Find the families of a gallery: from the truth and its descriptors to rows of the truth."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from indexer.families.discover import NOBODY, by_neighbours, discover
from indexer.families.fold import label_id
from indexer.families.graph import NEIGHBOURS, shared_neighbours
from indexer.families.identity import match
from indexer.families.layout import layout
from indexer.families.margin import NEAR
from indexer.families.naming import distinctive
from indexer.families.stability import stability
from indexer.filters import as_text
from indexer.store import Found, Proposal, Store
from indexer.types import Float32, Int64
from indexer.vectors import nearest_others


def find(
    store: Store,
    at: int,
    ids: Int64,
    descriptors: Float32,
    before: Sequence[Found],
    same_fit: bool,
) -> tuple[list[Found], list[Proposal]]:
    """What a build finds of the images `ids` (n,) with `descriptors` (n, dim), and of families.

    Images that were not imported as real take part. `before` is what the last build found; it
    is continued with the `same_fit`, else it only lends the ids of its families. The row of an
    image that an analyst labelled says what its neighbours say, so that an undo has effect.
    """
    columns, words = store.columns(ids, generation=at), store.families.words(ids, at)
    part = np.array([row for row, said in enumerate(words) if said.label != "real"], np.int64)
    digests = [columns.sha256[row] for row in part]
    labelled = [words[row].family for row in part]
    old = {row.sha256: row.community for row in before if row.community is not None}
    near = nearest_others(descriptors[part], NEAR)
    found = discover(near, labelled, [old.get(d) for d in digests] if same_fit else None)

    number = dict(zip(digests, found.community.tolist(), strict=True))
    born = {number[d]: label_id(name) for d, name in zip(digests, labelled, strict=True) if name}
    names = match(old, number, born)
    best, vote = by_neighbours(near.rows[:, :NEIGHBOURS], found.family)
    by_analyst = np.array([words[row].family != words[row].imported for row in part], bool)
    family = np.where(by_analyst, np.where(vote > 0, best, NOBODY), found.family)
    strength = np.where(by_analyst, vote, found.strength)

    if same_fit and [row.image_id for row in before] == ids.tolist():
        place = np.array([(row.x, row.y) for row in before])
    else:
        place = layout(descriptors)
    of_row = {int(row): position for position, row in enumerate(part)}
    rows = []
    for row, image_id in enumerate(ids.tolist()):
        x, y = place[row].tolist()
        position = of_row.get(row)
        if position is None:
            rows.append(Found(image_id, columns.sha256[row], None, None, 0.0, x, y))
            continue
        own = int(family[position])
        rows.append(
            Found(
                image_id,
                columns.sha256[row],
                names[found.community[position]],
                None if own == NOBODY else names[own],
                float(strength[position]),
                x,
                y,
            )
        )
    firm = stability(shared_neighbours(near.rows), found.family)
    terms = _terms(store, at, ids, {row.image_id: row.family for row in rows})
    present = sorted({int(n) for n in found.family if n != NOBODY}, key=lambda n: names[n])
    return rows, [Proposal(names[n], terms.get(names[n]), float(firm[n])) for n in present]


def _terms(store: Store, at: int, ids: Int64, family: Mapping[int, str | None]) -> dict[str, str]:
    """Family -> the metadata term ("key: value") that sets its members apart, if any does."""
    inside: defaultdict[str, list[set[str]]] = defaultdict(list)
    everywhere: Counter[str] = Counter()
    for image in store.images(ids, generation=at):
        terms = {f"{key}: {as_text(value)}" for key, value in image.metadata.items()}
        everywhere.update(terms)
        if (own := family[image.id]) is not None:
            inside[own].append(terms)
    found = {own: distinctive(terms, everywhere, len(ids)) for own, terms in inside.items()}
    return {own: term for own, term in found.items() if term is not None}
