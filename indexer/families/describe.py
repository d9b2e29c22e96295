"""What a family is: its name, its faces, how tight it is and how far it can be trusted."""

import hashlib
import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from indexer.families.decisions import Memberships
from indexer.types import Float32, Int64

EXEMPLARS: Final = 6
NEAREST: Final = 5
DISTINCTIVE: Final = 3.0
"""Standard errors by which a metadata term must stand out."""
COMMON: Final = 0.5
"""Share of the members that must have a metadata term that names the family."""


@dataclass(frozen=True, slots=True)
class Images:
    """Aligned facts of the n images that `describe` looks at, in any order.

    `ids` sha256; `descriptors` (n, dim) float32 unit vectors; `strength` (n,) as discovery
    gave it; `label` "real", "fake" or None; `score` p(fake) in [0, 1] or None; `seen` when an
    image was made or came in, any sortable text (ISO 8601), or None; `terms` its metadata
    as "key: value".
    """

    ids: Sequence[str]
    descriptors: Float32
    strength: Float32
    label: Sequence[str | None]
    score: Sequence[float | None]
    seen: Sequence[str | None]
    terms: Sequence[Collection[str]]


@dataclass(frozen=True, slots=True)
class Family:
    """A family as shown.

    `name_from` says where the name comes from and `purity` which share of the members that
    have a family label has the most frequent one (None without labels). `members` by
    (strength descending, id), `strength` beside them, 1 where an analyst decided.
    `exemplars`: the medoid, then spread. `cohesion` in [-1, 1] is the mean cosine of two
    members (1 for a single one); `nearest` are other families with the cosine of the mean
    directions. `fake_share` is the mean of the members' labels (fake 1, real 0), or scores
    where there is no label; None without either. `stability` in [0, 1] is
    `indexer.families.stability`'s, None when it was not measured.
    """

    id: str
    name: str
    name_from: Literal["analyst", "label", "metadata", "code"]
    purity: float | None
    members: tuple[str, ...]
    strength: tuple[float, ...]
    exemplars: tuple[str, ...]
    cohesion: float
    nearest: tuple[tuple[str, float], ...]
    first_seen: str | None
    last_seen: str | None
    fake_share: float | None
    stability: float | None


def describe(
    images: Images, memberships: Memberships, stability: dict[str, float] | None = None
) -> list[Family]:
    """The families in force, by (size descending, id); members not in `images` are left out."""
    rows: dict[str, list[int]] = {}
    for row, image in enumerate(images.ids):
        if image in memberships.family:
            rows.setdefault(memberships.family[image], []).append(row)
    everywhere = Counter(term for terms in images.terms for term in set(terms))
    order = sorted(rows, key=lambda family: (-len(rows[family]), family))
    means = {family: images.descriptors[rows[family]].mean(axis=0) for family in order}
    nearest = _nearest(order, means)
    return [
        _family(
            family,
            np.array(rows[family]),
            images,
            memberships,
            everywhere,
            nearest[family],
            (stability or {}).get(family),
        )
        for family in order
    ]


def _family(
    family: str,
    rows: Int64,
    images: Images,
    memberships: Memberships,
    everywhere: Counter[str],
    nearest: tuple[tuple[str, float], ...],
    stability: float | None,
) -> Family:
    strength = {
        images.ids[row]: 1.0
        if images.ids[row] in memberships.certain
        else float(images.strength[row])
        for row in rows
    }
    members = sorted(strength, key=lambda image: (-strength[image], image))
    place = {images.ids[row]: row for row in rows}
    rows = np.array([place[image] for image in members])
    labels = Counter(memberships.label[i] for i in members if i in memberships.label)
    label = min(labels, key=lambda name: (-labels[name], name), default=None)
    term = _distinctive([images.terms[row] for row in rows], everywhere, len(images.ids))
    name_from: Literal["analyst", "label", "metadata", "code"]
    if family in memberships.name:
        name, name_from = memberships.name[family], "analyst"
    elif label is not None:
        name, name_from = label, "label"
    elif term is not None:
        name, name_from = term, "metadata"
    else:
        name, name_from = code_name(family), "code"
    seen = sorted(at for row in rows if (at := images.seen[row]) is not None)
    shares = [
        float(images.label[row] == "fake") if images.label[row] is not None else images.score[row]
        for row in rows
    ]
    likely = [share for share in shares if share is not None]
    vectors = images.descriptors[rows]
    size = len(rows)
    length = float(np.square(vectors.mean(axis=0, dtype=np.float64)).sum())
    return Family(
        id=family,
        name=name,
        name_from=name_from,
        purity=labels[label] / labels.total() if label is not None else None,
        members=tuple(members),
        strength=tuple(strength[image] for image in members),
        exemplars=tuple(members[i] for i in exemplars(vectors)),
        cohesion=min(1.0, max(-1.0, (size * length - 1) / (size - 1))) if size > 1 else 1.0,
        nearest=nearest,
        first_seen=seen[0] if seen else None,
        last_seen=seen[-1] if seen else None,
        fake_share=sum(likely) / len(likely) if likely else None,
        stability=stability,
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


def code_name(family: str) -> str:
    """A pronounceable name that depends on the id alone, such as "Bolime-47"."""
    digest = hashlib.sha256(family.encode()).digest()
    consonants, vowels = "bdfgklmnprstvz", "aeiou"
    syllables = [
        consonants[a % len(consonants)] + vowels[b % len(vowels)]
        for a, b in zip(digest[0:3], digest[3:6], strict=True)
    ]
    return f"{''.join(syllables).capitalize()}-{digest[6] % 90 + 10}"


def _distinctive(
    inside: Sequence[Collection[str]], everywhere: Counter[str], count: int
) -> str | None:
    """The term that sets the members apart most, or None if none does.

    Log-odds ratio against all other images with half an image added to every count, in
    standard errors (Monroe, Colaresi and Quinn, 2008).
    """
    here = Counter(term for terms in inside for term in set(terms))
    outside = count - len(inside)
    best: tuple[float, str] | None = None
    for term in sorted(here):
        if here[term] < COMMON * len(inside):
            continue
        a, b = here[term] + 0.5, len(inside) - here[term] + 0.5
        c, d = everywhere[term] - here[term] + 0.5, outside - everywhere[term] + here[term] + 0.5
        z = math.log(a * d / (b * c)) / math.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
        if z >= DISTINCTIVE and (best is None or z > best[0]):
            best = (z, term)
    return best[1] if best else None


def _nearest(
    order: Sequence[str], means: dict[str, Float32]
) -> dict[str, tuple[tuple[str, float], ...]]:
    """For each family the NEAREST others by the cosine of the mean directions, ties by id."""
    names = sorted(order)
    if not names:
        return {}
    directions = np.stack([means[name] for name in names])
    directions /= np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-12)
    cosine = np.clip(directions @ directions.T, -1, 1)
    np.fill_diagonal(cosine, -np.inf)
    places = np.argsort(-cosine, axis=1, kind="stable")[:, : min(NEAREST, len(names) - 1)]
    return {
        name: tuple((names[other], float(cosine[row, other])) for other in places[row])
        for row, name in enumerate(names)
    }
