"""What a family is: its name, its faces, how tight it is and how far it can be trusted."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from indexer.families.fold import Base, State
from indexer.families.naming import code_name
from indexer.types import Float32, Int64

EXEMPLARS: Final = 6
NEAREST: Final = 5


@dataclass(frozen=True, slots=True)
class Members:
    """The members of one family, strongest first, then by id.

    `ids` sha256; `rows` (m,) their rows among the descriptors; `strength` (m,) in [0, 1];
    `said` the label that somebody gave each, or None; `fake` 1 or 0 by label, else the score
    p(fake), None without either; `seen` when it was captured, ISO 8601, or None.
    """

    ids: Sequence[str]
    rows: Int64
    strength: Sequence[float]
    said: Sequence[str | None]
    fake: Sequence[float | None]
    seen: Sequence[str | None]


@dataclass(frozen=True, slots=True)
class Family:
    """A family as shown.

    `name_from` is "analyst", "label", "metadata" or "code"; `purity` the share of the labelled
    members that carry the most frequent label, None without any. `exemplars` are sha256, the
    medoid first, then spread. `cohesion` in [-1, 1] is the mean cosine of two members, None
    for a single one; `nearest` the other families with the cosine of the mean directions.
    `fake_share` is the mean of the members' labels (fake 1, real 0), or scores where there is
    no label. `stability` in [0, 1] is how much of it is found again when a fifth of the images
    is left out, None for a family that no build found. `first_seen` and `last_seen` are the
    earliest and latest capture times that are known.
    """

    id: str
    name: str
    name_from: str
    size: int
    labelled: int
    purity: float | None
    exemplars: tuple[str, ...]
    cohesion: float | None
    nearest: tuple[tuple[str, float], ...]
    first_seen: str | None
    last_seen: str | None
    fake_share: float | None
    stability: float | None


def names(state: State, base: Base) -> dict[str, tuple[str, str]]:
    """Family id -> (name, name_from) of the families in force; no two are called the same.

    The larger family has the first choice, after those that an analyst named.
    """
    size = Counter(state.family.values())
    words = {state.family[image]: word for image, word in sorted(state.word.items())}
    order = sorted(size, key=lambda family: (family not in state.name, -size[family], family))
    chosen: dict[str, tuple[str, str]] = {}
    taken: set[str] = set()
    for family in order:
        options = (
            (state.name.get(family), "analyst"),
            (words.get(family), "label"),
            (base.labels.get(family), "label"),
            (base.terms.get(family), "metadata"),
            (code_name(family), "code"),
            (family, "code"),
        )
        name, name_from = next((n, f) for n, f in options if n is not None and n not in taken)
        chosen[family] = (name, name_from)
        taken.add(name)
    return chosen


def describe(
    members: Mapping[str, Members],
    descriptors: Float32,
    named: Mapping[str, tuple[str, str]],
    stability: Mapping[str, float],
) -> list[Family]:
    """The families, by (size descending, id); `descriptors` (n, dim) are unit rows."""
    order = sorted(members, key=lambda family: (-len(members[family].ids), family))
    means = {family: descriptors[members[family].rows].mean(axis=0) for family in order}
    nearest = _nearest(means)
    return [
        _family(family, members[family], descriptors, named[family], nearest[family], stability)
        for family in order
    ]


def _family(
    family: str,
    own: Members,
    descriptors: Float32,
    named: tuple[str, str],
    nearest: tuple[tuple[str, float], ...],
    stability: Mapping[str, float],
) -> Family:
    vectors, size = descriptors[own.rows], len(own.ids)
    labels = Counter(label for label in own.said if label is not None)
    seen = sorted(at for at in own.seen if at is not None)
    likely = [share for share in own.fake if share is not None]
    length = float(np.square(vectors.mean(axis=0, dtype=np.float64)).sum())
    return Family(
        id=family,
        name=named[0],
        name_from=named[1],
        size=size,
        labelled=labels.total(),
        purity=max(labels.values()) / labels.total() if labels else None,
        exemplars=tuple(own.ids[row] for row in exemplars(vectors)),
        cohesion=min(1.0, max(-1.0, (size * length - 1) / (size - 1))) if size > 1 else None,
        nearest=nearest,
        first_seen=seen[0] if seen else None,
        last_seen=seen[-1] if seen else None,
        fake_share=sum(likely) / len(likely) if likely else None,
        stability=stability.get(family),
    )


def exemplars(vectors: Float32, count: int = EXEMPLARS) -> list[int]:
    """Rows that show a family: the medoid, then each time the one farthest from those chosen.

    `vectors` (m, dim) strongest first; only the stronger half can be chosen, since
    farthest-first traversal (Gonzalez, 1985) is drawn to outliers.
    """
    core = vectors[: max(min(count, len(vectors)), (len(vectors) + 1) // 2)]
    chosen = [int((core @ vectors.mean(axis=0)).argmax())]
    closest = core @ core[chosen[0]]
    while len(chosen) < min(count, len(core)):
        closest[chosen] = np.inf
        chosen.append(int(closest.argmin()))
        closest = np.maximum(closest, core @ core[chosen[-1]])
    return chosen


def _nearest(means: Mapping[str, Float32]) -> dict[str, tuple[tuple[str, float], ...]]:
    """For each family the NEAREST others by the cosine of the mean directions, ties by id."""
    order = sorted(means)
    if not order:
        return {}
    directions = np.stack([means[name] for name in order])
    directions /= np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-12)
    cosine = np.clip(directions @ directions.T, -1, 1)
    np.fill_diagonal(cosine, -np.inf)
    places = np.argsort(-cosine, axis=1, kind="stable")[:, : min(NEAREST, len(order) - 1)]
    return {
        name: tuple((order[other], float(cosine[row, other])) for other in places[row])
        for row, name in enumerate(order)
    }
