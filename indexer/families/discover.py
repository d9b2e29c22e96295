"""Find families: communities of the shared-neighbour graph; what hardly belongs is noise.

A build after new images continues the one before (`previous`): its families are nodes of the
graph that are not torn, new images join them or form families of their own. Families found
before are united or divided only where the graph is clear, since a partition of greatest
modularity may otherwise change as a whole when a few images come.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from indexer.families.communities import communities
from indexer.families.graph import NEIGHBOURS, Graph, shared_neighbours
from indexer.families.margin import CLEAR, margin
from indexer.types import Float32, Int64
from indexer.vectors import Neighbours

MIN_MEMBERS: Final = 5
"""Images that make a family, unless somebody gave them its label."""
UNITE: Final = 0.3
"""Families found before are one when this share of the smaller one's ties leads to the other."""
DIVIDE: Final = 0.02
"""A family found before is two when less than this share of a part's ties leads to the rest."""
ROUNDS: Final = 10
NOBODY: Final = -1

Bool = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Clustering:
    """`community` (n,) int64, 0..m-1, what a later build continues; `family` (n,) the number
    of the community whose family the image is in, NOBODY for noise; `strength` (n,) float32
    in [0, 1], the share of the image's nearest that are in that family, 1 where somebody said
    so and 0 for noise."""

    community: Int64
    family: Int64
    strength: Float32


def discover(
    near: Neighbours,
    labelled: Sequence[str | None] | None = None,
    previous: Sequence[str | None] | None = None,
) -> Clustering:
    """Families of n images from their `NEAR` nearest others.

    `labelled` is what is known of each image: images labelled the same share a family, images
    labelled differently never do. `previous` is the community of each image in the build
    before, None for new images.
    """
    if not len(near.rows):
        return Clustering(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
    graph = shared_neighbours(near.rows)
    count = graph.shape[0]
    names = list(labelled) if labelled is not None else [None] * count
    fresh = communities(graph, np.arange(count))
    found = _pass(graph, names, list(previous) if previous is not None else [None] * count, fresh)
    for _ in range(ROUNDS):  # so that a build of the same gallery changes nothing
        again = _pass(graph, names, [str(number) for number in found], fresh)
        if np.array_equal(again, found):
            break
        found = again
    fixed = np.array([name is not None for name in names], dtype=bool)
    return _settled(near, found, fixed)


def _pass(
    graph: Graph, names: Sequence[str | None], before: Sequence[str | None], fresh: Int64
) -> Int64:
    """Communities (n,), numbered by their first image, in continuation of those before."""
    anchor, label_of = _anchors(names, before)
    free = anchor == NOBODY
    group = np.where(free, len(label_of) + np.cumsum(free) - 1, anchor)
    found = communities(graph, group)
    anchor[~free] = _unite(graph, anchor, label_of, found)[anchor[~free]]
    found = _keep_apart(graph, found, anchor)
    if not free.all():
        found = _divide(graph, found, fresh, np.array([name is not None for name in names]))
    return _numbered(found)


def by_neighbours(nearest: Int64, family: Int64) -> tuple[Int64, Float32]:
    """The family that most of an image's nearest (n, k) are in, and which share of them."""
    rows = np.repeat(np.arange(len(family)), nearest.shape[1])
    ones = np.full(nearest.size, 1 / max(1, nearest.shape[1]))
    near = csr_array((ones, (rows, nearest.ravel())), (len(family), len(family)))
    votes = ties(near, family)
    if not votes.shape[1]:
        return family, np.zeros(len(family), np.float32)
    best = np.asarray(votes.argmax(axis=1), dtype=np.int64).ravel()
    return best, np.asarray(votes.max(axis=1).toarray(), dtype=np.float32).ravel()


def ties(graph: Graph, number: Int64) -> csr_array:
    """(n, m) the weight of each image's edges into each of the numbered sets; NOBODY is none."""
    inside = np.flatnonzero(number != NOBODY)
    shape = (len(number), int(number.max(initial=NOBODY)) + 1)
    return csr_array(graph @ csr_array((np.ones(len(inside)), (inside, number[inside])), shape))


def _anchors(
    names: Sequence[str | None], before: Sequence[str | None]
) -> tuple[Int64, list[str | None]]:
    """Which images must stay together: (n,) set numbers, NOBODY for new images, and the label
    of each set. A previous community belongs to the label that most of it carries."""
    votes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name, old in zip(names, before, strict=True):
        if name is not None and old is not None:
            votes[old][name] += 1
    heir = {old: min(tally, key=lambda n: (-tally[n], n)) for old, tally in votes.items()}
    labels: list[str | None] = [*sorted({name for name in names if name is not None})]
    number = {("label", str(label)): place for place, label in enumerate(labels)}
    anchor = np.full(len(names), NOBODY, dtype=np.int64)
    for image, (name, old) in enumerate(zip(names, before, strict=True)):
        if name is None and old is None:
            continue
        label = name if name is not None else heir.get(str(old))
        key = ("label", label) if label is not None else ("family", str(old))
        if key not in number:
            number[key] = len(labels)
            labels.append(None)
        anchor[image] = number[key]
    return anchor, labels


def _unite(graph: Graph, anchor: Int64, label_of: list[str | None], found: Int64) -> Int64:
    """(anchors,) which anchors are one: those of one community that are strongly tied and do
    not carry two labels."""
    target = np.arange(len(label_of))
    home = np.full(len(label_of), NOBODY, dtype=np.int64)
    home[anchor[anchor != NOBODY]] = found[anchor != NOBODY]
    held = anchor != NOBODY
    between = ties(graph, anchor)[held]
    member = csr_array(
        (np.ones(held.sum()), (np.arange(held.sum()), anchor[held])),
        shape=(held.sum(), len(label_of)),
    )
    weight = (member.T @ between).tocoo()
    volume = np.bincount(weight.coords[0], weight.data, minlength=len(label_of))
    pairs = sorted(zip(-weight.data, *(axis.tolist() for axis in weight.coords), strict=True))
    labels = list(label_of)
    for minus, a, b in pairs:
        one, other = target[a], target[b]
        if home[a] != home[b] or one == other or -minus < UNITE * min(volume[a], volume[b]):
            continue
        if labels[one] is not None and labels[other] is not None:
            continue
        labels[one] = labels[one] if labels[one] is not None else labels[other]
        target[target == other] = one
    return target


def _keep_apart(graph: Graph, found: Int64, anchor: Int64) -> Int64:
    """Divide communities that hold several anchors: other images go where their ties lead.

    What is tied to none of them, not even through others, stays a community of its own.
    """
    held = anchor != NOBODY
    pairs = np.unique(np.stack([found[held], anchor[held]]), axis=1)
    crowded = np.flatnonzero(np.bincount(pairs[0], minlength=1) > 1)
    if not len(crowded):
        return found
    result = found.copy()
    for community in crowded:
        rows = np.flatnonzero(found == community)
        inside = graph[rows][:, rows]
        names, seeds = np.unique(anchor[rows], return_inverse=True)
        side = np.where(anchor[rows] == NOBODY, NOBODY, seeds - (names[0] == NOBODY))
        fixed = side != NOBODY
        for _ in range(ROUNDS):
            weight = ties(inside, side).toarray()
            best = np.where(weight.max(axis=1) > 0, weight.argmax(axis=1), NOBODY)
            moved = np.where(fixed, side, best)
            if np.array_equal(moved, side):
                break
            side = moved
        result[rows] = np.where(side > 0, result.max() + side, result[rows])
        result[rows[side == NOBODY]] = result.max() + 1
    return result


def _divide(graph: Graph, found: Int64, fresh: Int64, fixed: Bool) -> Int64:
    """Part communities along fresh ones that hardly touch; labelled images stay together."""
    result = found.copy()
    for community in range(int(found.max(initial=NOBODY)) + 1):
        rows = np.flatnonzero(found == community)
        parts, part = np.unique(fresh[rows], return_inverse=True)
        if len(parts) < 2:
            continue
        inside = graph[rows][:, rows]
        weight = ties(inside, part)
        volume = np.bincount(part, np.asarray(weight.sum(axis=1)))
        own = np.bincount(part, weight[np.arange(len(rows)), part])
        clear = (volume - own < DIVIDE * volume) & (np.bincount(part) >= MIN_MEMBERS)
        clear[part[fixed[rows]]] = False
        if clear.all():
            clear[np.argmax(volume)] = False
        for number in np.flatnonzero(clear):
            result[rows[part == number]] = result.max() + 1
    return result


def _numbered(found: Int64) -> Int64:
    """The same communities, numbered by their first image."""
    _, first, codes = np.unique(found, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    return rank[codes]


def _settled(near: Neighbours, community: Int64, fixed: Bool) -> Clustering:
    """Who is in a family: those that are clearly nearer to it than to any other."""
    large = np.bincount(community) >= MIN_MEMBERS
    labelled = np.bincount(community[fixed], minlength=len(large)) > 0
    home = np.where((large | labelled)[community], community, NOBODY)
    nearest = near.rows[:, :NEIGHBOURS]
    best, vote = by_neighbours(nearest, home)
    home = np.where((home == NOBODY) & (vote > 0), best, home)
    clear = fixed | ((home != NOBODY) & (margin(near, home) >= CLEAR))
    family = labelled | (np.bincount(home[clear], minlength=len(large)) >= MIN_MEMBERS)
    member = np.where(clear & family[home], home, NOBODY)
    inside = np.mean(member[nearest] == member[:, None], axis=1) if nearest.size else 0.0
    strength = np.where(member == NOBODY, 0, np.where(fixed, 1, inside))
    return Clustering(community, member, strength.astype(np.float32))
