"""Find families: dense cores first, then what the neighbours agree on; the rest is noise.

1. Images that an analyst gave a family are in it; images that were in a family before are in
   it again (the anchor that keeps families the same from build to build).
2. HDBSCAN (Campello et al., 2013) on the shared-neighbour graph finds dense cores; those that
   lie mostly outside every family become families.
3. Families whose neighbourhoods are one are joined; anchored families that fell apart are
   divided. To be divided takes a clearer gap than not to be joined (hysteresis).
4. Members that their neighbours do not support leave; images whose neighbours agree join.
   It takes more agreement to join than to stay, for the same reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from sklearn.cluster import HDBSCAN

from indexer.families.neighbours import Graph
from indexer.types import Float32, Int64

NOISE: Final = -1
Float64 = NDArray[np.float64]
MIN_SIZE: Final = 8
"""Images that make a family, unless an analyst says so of fewer."""
JOIN: Final = 0.5
"""Support from which an image joins a family."""
DENSE: Final = 0.7
"""Part of a family's mean edge weight that an image is expected to have, see `_support`."""
STAY: Final = 0.25
"""Support below which a member leaves."""
UNITE: Final = 0.2
"""Two families are one when this share of the smaller one's edge weight leads to the other."""
DIVIDE: Final = 0.05
"""A family is two when less than this share of a part's edge weight leads to the rest."""


@dataclass(frozen=True, slots=True, eq=False)
class Clustering:
    """`family` (n,) int64, 0..m-1 or NOISE; `strength` (n,) float32 in [0, 1], 0 for noise.

    Strength is how much of what an image is connected to is in its family (`_support`); 1
    where an analyst said so.
    """

    family: Int64
    strength: Float32

    @property
    def count(self) -> int:
        return int(self.family.max(initial=NOISE)) + 1


def discover(
    graph: Graph,
    labelled: Sequence[str | None] | None = None,
    previous: Sequence[str | None] | None = None,
) -> Clustering:
    """Families of the n images of a shared-neighbour graph, numbered by their first image.

    `labelled` is what analysts said of each image: images labelled the same share a family,
    images labelled differently never do. `previous` is the family id of each image in the
    generation before, None for noise and new images.
    """
    count = graph.shape[0]
    names = list(labelled) if labelled is not None else [None] * count
    before = list(previous) if previous is not None else [None] * count
    family, owner = _anchored(names, before)
    fixed = np.array([name is not None for name in names], dtype=bool)
    fresh = _cores(graph, np.arange(count))
    family = _divide(graph, family, fixed, fresh)
    family = _add_cores(family, fresh)
    owner = owner + [None] * (int(family.max(initial=NOISE)) + 1 - len(owner))
    family = _unite(graph, family, owner)
    family = _grow(graph, _prune(graph, family, fixed))
    return _finished(graph, family, fixed)


def _anchored(
    names: Sequence[str | None], before: Sequence[str | None]
) -> tuple[Int64, list[str | None]]:
    """Start families (n,) from labels and the last generation, and the label of each family.

    A previous family belongs to the label that most of its labelled images carry.
    """
    votes: dict[str, dict[str, int]] = {}
    for name, old in zip(names, before, strict=True):
        if name is not None and old is not None:
            tally = votes.setdefault(old, {})
            tally[name] = tally.get(name, 0) + 1
    heirs = {old: min(tally, key=lambda n: (-tally[n], n)) for old, tally in votes.items()}
    owner: list[str | None] = [*sorted({name for name in names if name is not None})]
    number: dict[tuple[str, str], int] = {("label", str(n)): i for i, n in enumerate(owner)}
    family = np.full(len(names), NOISE, dtype=np.int64)
    for image, (name, old) in enumerate(zip(names, before, strict=True)):
        label = name if name is not None else heirs.get(old or "")
        if label is not None:
            family[image] = number["label", label]
        elif old is not None:
            if ("family", old) not in number:
                number["family", old] = len(owner)
                owner.append(None)
            family[image] = number["family", old]
    return family, owner


def _cores(graph: Graph, images: Int64) -> Int64:
    """HDBSCAN among `images`: (len(images),) core numbers or NOISE."""
    if len(images) < 2 * MIN_SIZE:
        return np.full(len(images), NOISE, dtype=np.int64)
    part = graph[images][:, images].tocoo()
    distance = csr_array((1.0 + 1e-9 - part.data, part.coords), shape=part.shape)
    # HDBSCAN wants one component: tie all to the first, farther than any two that share.
    pieces, piece = connected_components(distance, directed=False)
    first = np.unique(piece, return_index=True)[1]
    hub, ends = np.full(pieces - 1, first[0]), first[1:]
    tie = csr_array((np.full(pieces - 1, 2.0), (hub, ends)), shape=part.shape)
    joined = (distance + tie + tie.T).tocsr()
    clusterer = HDBSCAN(min_cluster_size=MIN_SIZE, min_samples=1, metric="precomputed", copy=True)
    return np.asarray(clusterer.fit(joined).labels_, dtype=np.int64)


def _add_cores(family: Int64, fresh: Int64) -> Int64:
    """Fresh cores that lie mostly outside every family become families."""
    found = fresh != NOISE
    free = found & (family == NOISE)
    size = np.bincount(fresh[found], minlength=1)
    new = np.bincount(fresh[free], minlength=len(size)) * 2 > size
    born = free & new[fresh]
    return np.where(born, fresh + family.max(initial=NOISE) + 1, family)


def _divide(graph: Graph, family: Int64, fixed: NDArray[np.bool_], fresh: Int64) -> Int64:
    """Part families along fresh cores that hardly touch; labelled images stay with their own."""
    parts = np.where((family == NOISE) | fixed, NOISE, fresh)
    volume = graph.sum(axis=1)
    family = family.copy()
    for number in range(int(family.max(initial=NOISE)) + 1):
        members = np.flatnonzero(family == number)
        if not len(members):
            continue
        cores, sizes = np.unique(parts[members], return_counts=True)
        cores = cores[(cores != NOISE) & (sizes >= MIN_SIZE)]
        if len(cores) < 2 and not fixed[members].any():
            continue
        inside = graph[members][:, members]
        for core in cores:
            part = parts[members] == core
            rest = (family[members] == number) & ~part
            if not rest.any():
                continue
            crossing = inside[part][:, rest].sum()
            if crossing < DIVIDE * min(volume[members[part]].sum(), volume[members[rest]].sum()):
                family[members[part]] = family.max() + 1
    return family


def _indicator(family: Int64) -> csr_array:
    """(n, m) with a one where an image is in a family."""
    inside = np.flatnonzero(family != NOISE)
    shape = (len(family), int(family.max(initial=NOISE)) + 1)
    return csr_array((np.ones(len(inside)), (inside, family[inside])), shape=shape)


def _unite(graph: Graph, family: Int64, owner: Sequence[str | None]) -> Int64:
    """Join the pair of families with the strongest tie until none is as strong as UNITE."""
    member = _indicator(family)
    between = (member.T @ graph @ member).toarray()
    volume = np.asarray(member.T @ graph.sum(axis=1))
    owners = list(owner)
    target = np.arange(len(volume))
    while len(volume) > 1:
        smaller = np.minimum(volume[:, None], volume[None])
        tie = np.divide(between, smaller, out=np.zeros_like(between), where=smaller > 0)
        np.fill_diagonal(tie, 0)
        a, b = np.unravel_index(int(tie.argmax()), tie.shape)
        if tie[a, b] < UNITE:
            break
        if owners[a] is not None and owners[b] is not None:
            between[a, b] = between[b, a] = 0
            continue
        between[a] += between[b]
        between[:, a] += between[:, b]
        between[b] = between[:, b] = 0
        volume[a] += volume[b]
        volume[b] = 0
        owners[a] = owners[a] if owners[a] is not None else owners[b]
        target[target == b] = a
    inside = family != NOISE
    united = family.copy()
    united[inside] = target[family[inside]]
    return united


def _support(graph: Graph, family: Int64) -> csr_array:
    """(n, m) how much speaks for each image in each family, in [0, 1].

    The share of the image's edge weight that leads there; an image with much less weight
    than is usual in the family (DENSE) counts as if the missing weight led elsewhere.
    """
    member = _indicator(family)
    volume = np.asarray(graph.sum(axis=1))
    usual = np.asarray(member.T @ volume) / np.maximum(member.sum(axis=0), 1)
    votes = (graph @ member).tocoo()
    image, number = votes.coords
    whole = np.maximum(volume[image], DENSE * usual[number])
    return csr_array((votes.data / whole, (image, number)), shape=votes.shape)


def _own_support(graph: Graph, family: Int64) -> Float64:
    support = _support(graph, family)
    own = np.zeros(len(family))
    inside = np.flatnonzero(family != NOISE)
    if len(inside):
        own[inside] = support[inside, family[inside]]
    return own


def _prune(graph: Graph, family: Int64, fixed: NDArray[np.bool_]) -> Int64:
    """Members that too little leads to leave, until all that are left are supported."""
    while True:
        own = _own_support(graph, family)
        size = np.bincount(family[family != NOISE], minlength=1)
        held = np.zeros(len(size), dtype=bool)
        held[family[fixed]] = True
        small = (family != NOISE) & ~held[family] & (size[family] < MIN_SIZE)
        leaving = (family != NOISE) & ~fixed & ((own < STAY) | small)
        if not leaving.any():
            return family
        family = np.where(leaving, NOISE, family)


def _grow(graph: Graph, family: Int64) -> Int64:
    """Noise joins the family that its neighbours agree on, until no more do."""
    while family.max(initial=NOISE) != NOISE:
        support = _support(graph, family)
        best = np.asarray(support.argmax(axis=1)).ravel()
        most = np.asarray(support.max(axis=1).toarray()).ravel()
        joining = (family == NOISE) & (most >= JOIN)
        if not joining.any():
            break
        family = np.where(joining, best, family)
    return family


def _finished(graph: Graph, family: Int64, fixed: NDArray[np.bool_]) -> Clustering:
    """Families renumbered by their first image, with strengths."""
    inside = family != NOISE
    _, first, codes = np.unique(family[inside], return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    numbered = np.full(len(family), NOISE, dtype=np.int64)
    numbered[inside] = rank[codes]
    strength = np.where(fixed, 1.0, np.clip(_own_support(graph, numbered), 0, 1))
    return Clustering(numbered, np.where(inside, strength, 0).astype(np.float32))
