"""The bytes of an image -> what is kept or asked of it: decode, prepare, encode."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from indexer.images import Limits, decode
from indexer.images import thumbnail as make_thumbnail
from indexer.images.geometry import Box
from indexer.images.recipe import Recipe
from indexer.images.region import Region
from indexer.images.windows import surroundings
from indexer.index.timings import Timings
from indexer.store import NewImage
from indexer.types import RGB, Annotation, Encoded, Encoder, Float32, ImageFacts, Passport, Patches


@dataclass(frozen=True, slots=True)
class Prepared:
    """A decoded image as the model takes it: `inputs` as `Encoder.prepare` makes them, `tiles`
    (3, height, width) float32 each."""

    facts: ImageFacts
    inputs: Float32
    thumbnail: bytes | None
    tiles: Sequence[Float32] = ()


def prepare(
    encoder: Encoder,
    data: bytes,
    limits: Limits = Limits(),  # noqa: B008 frozen value
    *,
    thumbnail: bool = False,
    region: Region | None = None,
    tiles: Callable[[RGB], Sequence[Float32]] = lambda _: (),
    timings: Timings | None = None,
) -> Prepared:
    """Decode and preprocess, with the `tiles` that this makes of it; of a `region` only its
    surroundings. Raises ImageRejected."""
    timings = timings or Timings()
    with timings.step("decode"):
        image = decode(data, limits)
    with timings.step("prepare"):
        window = None
        if region is not None:
            window = region_window(region, image.facts, encoder.passport)
        inputs, parts = encoder.prepare(image.rgb, window), tiles(image.rgb)
    with timings.step("thumbnail"):
        small = make_thumbnail(image.rgb) if thumbnail else None
    return Prepared(image.facts, inputs, small, parts)


def region_window(region: Region, facts: ImageFacts, passport: Passport) -> Box:
    """The window in which an encoder with this passport sees a region. Raises ImageRejected."""
    recipe = Recipe.from_json(passport.preprocessing)
    box = region.box(facts.width, facts.height)
    return surroundings(box, facts.height, facts.width, recipe)


def encode(encoder: Encoder, batch: Sequence[Prepared]) -> list[Encoded]:
    """Encode prepared images, in their order."""
    found = encoder.encode_prepared([prepared.inputs for prepared in batch])
    return [
        Encoded(
            facts=prepared.facts,
            taps=found.taps[row],
            patches=found.patches[row],
            logits=None if found.logits is None else found.logits[row],
            score=None if found.scores is None else float(found.scores[row]),
            thumbnail=prepared.thumbnail,
        )
        for row, prepared in enumerate(batch)
    ]


def named(
    encoded: Encoded,
    uri: str,
    annotation: Annotation,
    metadata: Mapping[str, Any],
    kept: Patches | None,
) -> NewImage:
    """An encoded image as the store takes it, with the patches that are kept of it."""
    return NewImage(
        facts=encoded.facts,
        uri=uri,
        annotation=annotation,
        metadata=metadata,
        taps=encoded.taps.astype(np.float16),
        logits=encoded.logits,
        score=encoded.score,
        thumbnail=encoded.thumbnail,
        patches=kept,
    )
