"""Search by region: which known images show what is in this box, and where."""

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from indexer.errors import UsageError
from indexer.filters import Filter
from indexer.images import Limits
from indexer.images.geometry import Box
from indexer.images.recipe import Recipe
from indexer.images.region import Region, covered
from indexer.images.windows import window_view
from indexer.index.core import Index
from indexer.index.encoding import encode_region, prepare_region, region_windows
from indexer.index.keeping import token_boxes, without_patches
from indexer.index.patch_gallery import Compared
from indexer.index.recording import record_query
from indexer.patches import Placement, place, restored, weights
from indexer.patches.placing import centres
from indexer.store import StoredImage
from indexer.types import EncodedRegion, Float32, Int64

ROUNDING: Final = 1e-5
"""A matrix product over other images sums in another order."""
PLACED: Final = 64
"""The region is placed in so many of the best candidates."""


@dataclass(frozen=True, slots=True)
class RegionQuery:
    """A region that is asked about: its tokens (q, dim) float32 and their boxes (q, 4) in
    pixels of its image; `id` is set when the image comes from the gallery."""

    sha256: str
    region: Box
    tokens: Float32
    boxes: Float32
    id: int | None = None


@dataclass(frozen=True, slots=True)
class RegionHit:
    """A known image that shows the region at `region`.

    `agreement` in [0, 1]: how well and how unusually the region's patches match there, in one
    place and at one scale; `similarity` in [-1, 1] is the mean cosine of their best matches
    anywhere in the image. `by_chance` is the share of images, of a sample spread over the
    gallery and this one, that agree at least as well.
    """

    sha256: str
    uri: str
    label: str | None
    family: str | None
    source: str | None
    score: float | None
    agreement: float
    similarity: float
    by_chance: float
    region: Region


@dataclass(frozen=True, slots=True)
class RegionAnswer:
    """What a search by region found. `region` is the part of it that lies in the image;
    `patches` says how many of its patches were compared."""

    query_sha256: str
    generation: int
    checkpoint: dict[str, Any]
    region: Region
    patches: int
    hits: list[RegionHit]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def region_bytes(
    index: Index,
    data: bytes,
    region: Region,
    limits: Limits = Limits(),  # noqa: B008 frozen
) -> RegionQuery:
    """Encode a region, with its surroundings, of an image that need not be in the gallery.

    The model sees the region itself, wherever it lies, so the centre crop cuts nothing off.
    Raises ImageRejected.
    """
    encoder = index.encoder
    encoded = encode_region(encoder, prepare_region(encoder, data, region, limits))
    return region_encoded(index, encoded, region)


def region_encoded(index: Index, encoded: EncodedRegion, region: Region) -> RegionQuery:
    """A region whose surroundings were encoded elsewhere."""
    facts, recipe = encoded.facts, Recipe.from_json(index.store.passport.preprocessing)
    box = region.box(facts.width, facts.height)
    patch = recipe.output_size[0] // encoded.patches.shape[1]
    tokens, boxes = [], []
    for window, grid in zip(region_windows(region, facts, recipe), encoded.patches, strict=True):
        seen = window_view(window, recipe, patch)
        inside = covered(seen, box)
        tokens.append(grid.reshape(-1, grid.shape[-1])[inside])
        boxes.append(token_boxes(seen)[inside])
    return RegionQuery(facts.sha256, box, np.concatenate(tokens), np.concatenate(boxes))


def region_stored(
    index: Index, digest: str, region: Region, generation: int | None = None
) -> RegionQuery:
    """A region of an image of the gallery; needs neither its file nor the model, but knows only
    the patches that the index keeps. Raises NotFound, ImageRejected
    ("outside"), or UsageError when none lies there."""
    image = index.store.image(digest, generation=generation)
    box = region.box(image.facts.width, image.facts.height)
    kept = index.store.patches([image.id]).get(image.id)
    if kept is None:
        raise without_patches(index.path)
    x, y = centres(kept.boxes).T
    inside = (box.left <= x) & (x < box.right) & (box.top <= y) & (y < box.bottom)
    if not inside.any():
        raise UsageError(
            f"none of the {len(x)} patches that the index keeps of {digest[:12]} lies in the "
            "region",
            do="search with the image's file, or build with --patches all or --tiles",
        )
    return RegionQuery(digest, box, restored(kept)[inside], kept.boxes[inside], image.id)


def search_region(
    index: Index,
    query: RegionQuery,
    k: int = 10,
    *,
    where: Filter | None = None,
    generation: int | None = None,
    author: str = "indexer",
) -> RegionAnswer:
    """The k known images that best show the region, and where they show it.

    `where` narrows the hits; a stored query never finds itself. The answer is given once the
    audit chain tells durably that `author` asked. Raises UsageError on k < 1 or an index without
    patches, NotFound on an unknown generation.
    """
    if k < 1:
        raise UsageError(f"k is {k}", expected="at least 1")
    gallery = index.patches(generation)
    tokens = gallery.patches.projection.apply(query.tokens)
    reference = gallery.compare(tokens, gallery.reference)  # taken to be unrelated
    usual = np.median(reference.match.similarity, axis=0)
    allowed = gallery.live
    if where is not None:
        kept = index.store.ids(where, generation=gallery.generation)
        allowed = np.intersect1d(allowed, kept, assume_unique=True)
    allowed = allowed[allowed != query.id]
    ids = gallery.candidates(tokens, usual, max(k, PLACED), allowed)
    found = _place(query, gallery.compare(tokens, ids), usual, max(k, PLACED))
    chance = _place(query, reference, usual, len(reference.ids))
    order = np.lexsort((found.ids, -found.similarity, -found.placement.agreement))[:k]
    images = index.store.images(found.ids[order], generation=gallery.generation)
    answer = RegionAnswer(
        query_sha256=query.sha256,
        generation=gallery.generation,
        checkpoint=index.checkpoint,
        region=Region.of(query.region),
        patches=len(tokens),
        hits=[
            _hit(image, query, found, int(row), chance.placement.agreement)
            for image, row in zip(images, order, strict=True)
        ],
    )
    record_query(
        index,
        author,
        answer.query_sha256,
        answer.generation,
        ((hit.sha256, hit.agreement) for hit in answer.hits),
        where=where,
        k=k,
        region=asdict(answer.region),
    )
    return answer


@dataclass(frozen=True, slots=True)
class _Placed:
    """Images (m,) in which a region was placed."""

    ids: Int64
    similarity: Float32
    placement: Placement


def _place(query: RegionQuery, found: Compared, usual: Float32, count: int) -> _Placed:
    """Place the region in the best `count` of the images that it was compared with."""
    match = found.match
    weight = weights(match.similarity, usual)
    best = np.sort(np.argsort(-weight.mean(axis=1), kind="stable")[:count])
    placement = place(query.boxes, found.boxes[match.rows[best]], weight[best])
    return _Placed(found.ids[best], match.max_sim[best], placement)


def _hit(
    image: StoredImage, query: RegionQuery, found: _Placed, row: int, chance: Float32
) -> RegionHit:
    agreement = found.placement.agreement[row]
    box = found.placement.box(row, np.array(query.region, np.float32))
    facts = image.facts
    return RegionHit(
        sha256=image.sha256,
        uri=image.uris[0],
        label=image.annotation.label,
        family=image.annotation.family,
        source=image.annotation.source,
        score=image.score,
        agreement=float(agreement),
        similarity=float(found.similarity[row]),
        by_chance=float((1 + (chance >= agreement - ROUNDING).sum()) / (1 + len(chance))),
        region=Region.of(Box(*np.clip(box, 0, [facts.width, facts.height] * 2))),
    )
