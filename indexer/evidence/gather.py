"""A search and all that its answer rests on, as plain data and the files beside it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from indexer.calibration import RISK, Calibration
from indexer.custody.canonical import canonical
from indexer.filters import Filter, as_expression
from indexer.images import decode
from indexer.images.previews import preview
from indexer.images.traces import traces
from indexer.index import Answer, Hit, Index, Query, search

SUFFIXES: Mapping[str, str] = {"JPEG": "jpg", "TIFF": "tif"}


@dataclass(frozen=True, slots=True)
class Asked:
    """An image and how it is searched, as `indexer.index.search` takes it; `name` is what the
    file was called."""

    image: bytes
    name: str
    k: int = 10
    where: Filter | None = None
    generation: int | None = None
    risk: float = RISK


@dataclass(frozen=True, slots=True)
class Gathered:
    """`facts` are JSON values that the same index gives again for the same question, `members`
    the files that they name."""

    facts: dict[str, Any]
    members: dict[str, bytes] = field(default_factory=dict)


def gather(index: Index, asked: Asked, query: Query, author: str) -> Gathered:
    """Search, and collect what the answer rests on. `query` is the encoded image of `asked`."""
    answer = search(
        index,
        query,
        asked.k,
        where=asked.where,
        generation=asked.generation,
        risk=asked.risk,
        author=author,
    )
    calibration = index.gallery(answer.generation).derived.calibration
    members = {"calibration.json": canonical(json.loads(calibration.to_json()))}
    facts = {
        "query": _query(asked, members),
        "search": {
            "k": asked.k,
            "where": None if asked.where is None else as_expression(asked.where),
            "risk": asked.risk,
            "answer": answer.to_dict(),
        },
        "hits": [
            _known(index, rank, hit, answer.generation, members)
            for rank, hit in enumerate(answer.hits, 1)
        ],
        "gallery": _gallery(index, answer, calibration),
    }
    return Gathered(json.loads(canonical(facts)), members)


def _query(asked: Asked, members: dict[str, bytes]) -> dict[str, Any]:
    image = decode(asked.image)
    suffix = SUFFIXES.get(image.facts.format, image.facts.format.lower())
    members[f"query.{suffix}"] = asked.image
    members["preview.webp"] = preview(image.rgb)
    return {
        "name": asked.name,
        "member": f"query.{suffix}",
        "facts": asdict(image.facts),
        "says_of_itself": traces(asked.image),
    }


def _known(
    index: Index, rank: int, hit: Hit, generation: int, members: dict[str, bytes]
) -> dict[str, Any]:
    """What is known of a hit besides its figures."""
    image = index.store.image(hit.sha256, generation)
    thumbnail = index.store.thumbnail(hit.sha256, generation)
    member = None
    if thumbnail is not None:
        member = f"thumbnails/{rank:03}-{hit.sha256[:12]}.webp"
        members[member] = thumbnail
    return {
        "sha256": hit.sha256,
        "uris": image.uris,
        "facts": asdict(image.facts),
        "annotation": asdict(image.annotation),
        "metadata": dict(image.metadata),
        "added_gen": image.added_gen,
        "thumbnail": member,
    }


def _gallery(index: Index, answer: Answer, calibration: Calibration) -> dict[str, Any]:
    counts = index.store.counts(answer.generation)
    fit = index.store.fit_at(answer.generation)
    return {
        "index": index.store.identity,
        "generation": answer.generation,
        "images": counts.images,
        "by_label": counts.by_label,
        "passport": asdict(index.store.passport),
        "passport_sha256": index.store.passport.digest,
        "fit": None if fit is None else asdict(fit),
        # The same bytes as the derived file, so that the fit's audit row vouches for them.
        "calibration_sha256": hashlib.sha256(calibration.to_json().encode()).hexdigest(),
    }
