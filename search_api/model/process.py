"""The model process: `python -m search_api.model.process INDEX`, spoken to on stdin and stdout.

It ends when its stdin ends, so it never outlives the service.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from indexer.encoder import VitEncoder
from indexer.errors import ImageRejected, LineupError
from indexer.explain import in_chunks
from indexer.index import Index
from indexer.index.encoding import (
    Prepared,
    PreparedRegion,
    encode,
    encode_region,
    prepare,
    prepare_region,
)
from indexer.index.keeping import Keeper
from indexer.maps import rollout
from indexer.types import RGB, Bool, Encoded, Float32, Masked
from search_api.model import wire
from search_api.model.loop import serve, streams
from search_api.model.wire import Attended, Outcome, Upload


def encode_uploads(
    encoder: VitEncoder, keeper: Keeper, uploads: Sequence[Upload], step: Callable[[], None]
) -> list[Outcome]:
    """Decode one by one, so that one large image is in memory at a time; encode together."""
    ready: list[Prepared | PreparedRegion | ImageRejected] = []
    for upload in uploads:
        try:
            ready.append(_prepared(encoder, keeper, upload))
        except ImageRejected as error:
            ready.append(error)
        step()
    together = [
        each
        for each, upload in zip(ready, uploads, strict=True)
        if isinstance(each, Prepared) and upload.asks is Encoded
    ]
    encoded = iter(encode(encoder, together))
    outcomes: list[Outcome] = []
    for each, upload in zip(ready, uploads, strict=True):
        if isinstance(each, ImageRejected):
            outcomes.append(each)
            continue
        if isinstance(each, PreparedRegion) or upload.asks is not Encoded:
            outcomes.append(_alone(encoder, upload, each, step))
        elif upload.keep:
            image = next(encoded)
            kept = keeper.keep(image.patches, each.tiles, image.facts)
            outcomes.append(replace(image, kept=kept))
        else:
            outcomes.append(next(encoded))
        step()
    return outcomes


def _alone(
    encoder: VitEncoder,
    upload: Upload,
    prepared: Prepared | PreparedRegion,
    step: Callable[[], None],
) -> Outcome:
    """What is not encoded together with other uploads."""
    if isinstance(prepared, PreparedRegion):
        return encode_region(encoder, prepared)
    if upload.masks is not None:
        return _masked(encoder, prepared.inputs, upload.masks, step)
    return Attended(rollout(encoder.attention(prepared.inputs, step)))


def _masked(encoder: VitEncoder, inputs: Float32, masks: Bool, step: Callable[[], None]) -> Masked:
    def some(part: Bool) -> Masked:
        step()
        return encoder.encode_masked(inputs, part)

    return in_chunks(masks, encoder.batch, some)


def _prepared(encoder: VitEncoder, keeper: Keeper, upload: Upload) -> Prepared | PreparedRegion:
    if upload.region is not None:
        return prepare_region(encoder, upload.data, upload.region, upload.limits)
    tiles = keeper.tiles if upload.keep else no_tiles
    return prepare(encoder, upload.data, upload.limits, thumbnail=upload.thumbnail, tiles=tiles)


def no_tiles(_: RGB) -> Sequence[Float32]:
    """For a query, which is compared as the model sees it."""
    return ()


def main() -> None:
    """Load the encoder of an index, use it once, serve."""
    jobs, replies = streams()
    try:
        with Index.open(sys.argv[1]) as index:
            encoder = index.encoder
            keeper = Keeper(lambda: encoder, index.patch_policy)
        size = encoder.checkpoint.recipe.output_size
        encoder.encode([np.zeros((*size, 3), np.uint8)])
    except LineupError as error:
        words = {"found": error.found, "expected": error.expected, "do": error.do}
        replies.write(wire.pack({"failed": words}))
        replies.flush()
        sys.exit(1)
    serve(jobs, replies, lambda uploads, step: encode_uploads(encoder, keeper, uploads, step))


if __name__ == "__main__":
    main()
