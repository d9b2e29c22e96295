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
from indexer.images.windows import preprocess_window, surroundings
from indexer.index.timings import Timings
from indexer.store import NewImage
from indexer.types import (
    RGB,
    Annotation,
    Encoded,
    EncodedRegion,
    Encoder,
    Float32,
    ImageFacts,
    Patches,
)


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
    tiles: Callable[[RGB], Sequence[Float32]] = lambda _: (),
    timings: Timings | None = None,
) -> Prepared:
    """Decode and preprocess, with the `tiles` that this makes of it. Raises ImageRejected."""
    timings = timings or Timings()
    with timings.step("decode"):
        image = decode(data, limits)
    with timings.step("prepare"):
        inputs, parts = encoder.prepare(image.rgb), tiles(image.rgb)
    with timings.step("thumbnail"):
        small = make_thumbnail(image.rgb) if thumbnail else None
    return Prepared(image.facts, inputs, small, parts)


@dataclass(frozen=True, slots=True)
class PreparedRegion:
    """The surroundings of a region of a decoded image, (3, height, width) float32 each."""

    facts: ImageFacts
    inputs: Sequence[Float32]


def prepare_region(
    encoder: Encoder,
    data: bytes,
    region: Region,
    limits: Limits = Limits(),  # noqa: B008 frozen
) -> PreparedRegion:
    """Decode, and preprocess the surroundings of a region. Raises ImageRejected."""
    image = decode(data, limits)
    recipe = Recipe.from_json(encoder.passport.preprocessing)
    windows = region_windows(region, image.facts, recipe)
    return PreparedRegion(
        image.facts, [preprocess_window(image.rgb, window, recipe) for window in windows]
    )


def region_windows(region: Region, facts: ImageFacts, recipe: Recipe) -> list[Box]:
    """The windows in which a region is seen. Raises ImageRejected ("outside")."""
    box = region.box(facts.width, facts.height)
    return surroundings(box, facts.height, facts.width, recipe)


def encode_region(encoder: Encoder, prepared: PreparedRegion) -> EncodedRegion:
    """Encode the surroundings of a region."""
    return EncodedRegion(prepared.facts, encoder.encode_patches(prepared.inputs))


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
