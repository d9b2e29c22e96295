"""What matched: two images side by side, each patch by its best match in the other."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from indexer.explain.canvas import as_fractions, patch_boxes, to_draw_on
from indexer.explain.explanation import Explanation, Looker, worth
from indexer.images.heatmap import Panel, sheet
from indexer.index import Index
from indexer.index.keeping import without_patches
from indexer.maps import at_random, judge, strongest, what_matched
from indexer.patches import restored
from indexer.types import RGB, Encoded, Float32

SHARE: Final = 0.1
"""So many of the patches are greyed out to see what the match loses."""

LIMITS: Final = (
    "It shows where the two look alike to the model, as the tokens of one layer see it. It does "
    "not show that anything was copied, nor what makes either of them fake."
)


@dataclass(frozen=True, slots=True)
class Side:
    """One of two images: what is drawn on, `vectors` (n, k) of its patches and their `boxes`
    (n, 4) in fractions of it, and its `descriptor` (dim,). `grid` is None where only some
    patches are known."""

    sha256: str
    image: RGB
    vectors: Float32
    boxes: Float32
    descriptor: Float32
    grid: tuple[int, int] | None


def side_encoded(index: Index, encoded: Encoded, generation: int) -> Side:
    """An image that was encoded with its thumbnail: all its patches. Raises UsageError on an index
    without patches, which has no space to compare them in."""
    facts, passport = encoded.facts, index.store.passport
    rows, columns, dim = encoded.patches.shape
    space = index.patches(generation).patches.projection
    projection = index.gallery(generation).derived.projection
    return Side(
        facts.sha256,
        to_draw_on(encoded.thumbnail, facts.sha256),
        space.apply(encoded.patches.reshape(-1, dim)),
        patch_boxes(passport, facts, rows),
        projection.apply(encoded.taps[None])[0],
        (rows, columns),
    )


def side_stored(index: Index, sha256: str, generation: int) -> Side:
    """An image of the gallery: the patches that the index keeps of it; needs neither its file
    nor the model. Raises NotFound, or UsageError without patches or a thumbnail of it."""
    image = index.store.image(sha256, generation)
    space = index.patches(generation).patches.projection
    kept = index.store.patches([image.id]).get(image.id)
    if kept is None:
        raise without_patches(f"image {sha256[:12]}")
    gallery = index.gallery(generation)
    return Side(
        sha256,
        to_draw_on(index.store.thumbnail(sha256, generation), sha256),
        space.apply(restored(kept)),
        as_fractions(kept.boxes, image.facts),
        gallery.descriptors(np.array([image.id], np.int64))[0],
        None,
    )


def explain_match(
    index: Index, here: Side, there: Side, looker: Looker | None, generation: int
) -> Explanation:
    """`looker` is the image `here`; None where its file is not at hand, and nothing can be said of
    the map's worth. `generation` is that of both sides."""
    on_here, on_there = what_matched(here.vectors, there.vectors)
    low, high = (float(f(np.append(on_here, on_there))) for f in (np.min, np.max))
    panels = [
        Panel(title, side.image, "cosine of the best match", side.boxes, values, low, high)
        for title, side, values in (
            (_titled("Asked about", here), here, on_here),
            (_titled("Compared with", there), there, on_there),
        )
    ]
    figures, missing, worth_of_it = {}, {}, "How faithful this map is was not tested."
    if looker is None or here.grid is None:
        missing["match"] = "only patches of the image are kept, not its pixels to grey out"
    else:
        masks = [strongest(on_here.reshape(here.grid), SHARE)[None], at_random(here.grid, SHARE)]
        varied = looker.vary(np.concatenate(masks))
        descriptors = index.gallery(generation).derived.projection.apply(varied.taps)
        fall = np.asarray((here.descriptor - descriptors) @ there.descriptor, np.float32)
        figures["match"] = judge(SHARE, fall[0], fall[1:])
        effect = f"greying out the best-matching {SHARE:.0%} lowers the similarity by"
        worth_of_it = worth("This map", effect, figures["match"])
    compared = (
        f"{len(here.vectors)} patches of the image were compared with {len(there.vectors)} of the "
        "other; each has the colour of its best match there. Grey parts were not compared."
    )
    note = f"{worth_of_it} {LIMITS}"
    return Explanation(
        kind="match",
        query_sha256=here.sha256,
        other_sha256=there.sha256,
        generation=generation,
        picture=sheet("What matched (not what speaks for fake)", panels, note),
        alt="The two images side by side, yellow where their patches match best, blue "
        "where they match least",
        says=(compared, worth_of_it, LIMITS),
        faithfulness=figures,
        missing=missing,
    )


def _titled(name: str, side: Side) -> str:
    extent = "all" if side.grid else "the kept"
    return f"{name} {side.sha256[:12]}, {extent} {len(side.vectors)} patches"
