"""The model process: `python -m search_api.model.process INDEX`, spoken to on stdin and stdout.

It ends when its stdin ends, so it never outlives the service.
"""

import sys
from collections.abc import Callable, Sequence

import numpy as np

from indexer.errors import ImageRejected, LineupError
from indexer.index import Index
from indexer.index.encoding import Prepared, encode, prepare
from indexer.types import Encoded, Encoder
from search_api.model import wire
from search_api.model.loop import serve, streams
from search_api.model.wire import Upload


def encode_uploads(
    encoder: Encoder, uploads: Sequence[Upload], step: Callable[[], None]
) -> list[Encoded | ImageRejected]:
    """Decode one by one, so that one large image is in memory at a time; encode together."""
    ready: list[Prepared | ImageRejected] = []
    for upload in uploads:
        try:
            ready.append(
                prepare(
                    encoder,
                    upload.data,
                    upload.limits,
                    thumbnail=upload.thumbnail,
                    region=upload.region,
                )
            )
        except ImageRejected as error:
            ready.append(error)
        step()
    encoded = iter(encode(encoder, [each for each in ready if isinstance(each, Prepared)]))
    return [next(encoded) if isinstance(each, Prepared) else each for each in ready]


def main() -> None:
    """Load the encoder of an index, use it once, serve."""
    jobs, replies = streams()
    try:
        with Index.open(sys.argv[1]) as index:
            encoder = index.encoder
        size = encoder.checkpoint.recipe.output_size
        encoder.encode([np.zeros((*size, 3), np.uint8)])
    except LineupError as error:
        words = {"found": error.found, "expected": error.expected, "do": error.do}
        replies.write(wire.pack({"failed": words}))
        replies.flush()
        sys.exit(1)
    serve(jobs, replies, lambda uploads, step: encode_uploads(encoder, uploads, step))


if __name__ == "__main__":
    main()
