"""What passes between the service and its model process: messages on two pipes.

A message is a JSON header and a blob. Arrays travel as safetensors, never as pickles, since the
process that decodes hostile images is the one that might turn against the service.
"""

import json
import struct
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO, Final

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from indexer.errors import ImageRejected
from indexer.images import Limits
from indexer.images.region import Region
from indexer.types import Encoded, EncodedRegion, ImageFacts, Patches

_SIZES: Final = struct.Struct("<II")
_KEPT: Final = ("codes", "scales", "boxes")
MAX_BYTES: Final = 256 * 1024 * 1024
"""No honest message has a header or blob of more."""


Outcome = Encoded | EncodedRegion | ImageRejected


class Garbled(ConnectionError):
    """The other side said something that no message is."""


@dataclass(frozen=True, slots=True)
class Upload:
    """An image, or the surroundings of a region of it, to encode within limits; `keep`: with the
    thumbnail and the patches that the gallery keeps."""

    data: bytes
    limits: Limits
    keep: bool = False
    region: Region | None = None


def pack(header: dict[str, Any], blob: bytes = b"") -> bytes:
    """One message."""
    head = json.dumps(header).encode()
    return _SIZES.pack(len(head), len(blob)) + head + blob


def read(stream: BinaryIO) -> tuple[dict[str, Any], bytes]:
    """The next message of a blocking stream. Raises EOFError at its end."""
    sizes = stream.read(_SIZES.size)
    if len(sizes) < _SIZES.size:
        raise EOFError
    head, blob = _SIZES.unpack(sizes)
    return json.loads(stream.read(head)), stream.read(blob)


async def receive(exactly: Callable[[int], Awaitable[bytes]]) -> tuple[dict[str, Any], bytes]:
    """The next message of an asyncio stream, given its `readexactly`. Raises Garbled."""
    sizes = _SIZES.unpack(await exactly(_SIZES.size))
    if max(sizes) > MAX_BYTES:
        raise Garbled(f"a message of {max(sizes):,} bytes")
    try:
        header = json.loads(await exactly(sizes[0]))
    except ValueError as error:
        raise Garbled(f"a message that is no JSON: {error}") from error
    if not isinstance(header, dict):
        raise Garbled("a message whose header is no object")
    return header, await exactly(sizes[1])


def pack_upload(upload: Upload) -> bytes:
    """One message for an upload."""
    header = asdict(upload)
    return pack(header, header.pop("data"))


def to_upload(header: dict[str, Any], blob: bytes) -> Upload:
    """The upload of a message."""
    region = header["region"] and Region(**header["region"])
    return Upload(blob, Limits(**header["limits"]), header["keep"], region)


def pack_outcome(outcome: Outcome) -> bytes:
    """One message for what came of an upload."""
    if isinstance(outcome, EncodedRegion):
        return pack({"region": asdict(outcome.facts)}, save({"patches": outcome.patches}))
    if isinstance(outcome, ImageRejected):
        words = {"found": outcome.found, "expected": outcome.expected, "do": outcome.do}
        return pack({"rejected": outcome.reason, **words})
    arrays: dict[str, Any] = {
        "taps": outcome.taps,
        "patches": outcome.patches,
        "logits": outcome.logits,
    }
    if outcome.thumbnail is not None:
        arrays["thumbnail"] = np.frombuffer(outcome.thumbnail, np.uint8)
    if outcome.kept is not None:
        arrays |= {f"kept.{name}": getattr(outcome.kept, name) for name in _KEPT}
    present = {name: np.ascontiguousarray(a) for name, a in arrays.items() if a is not None}
    return pack({"facts": asdict(outcome.facts), "score": outcome.score}, save(present))


def to_outcome(header: dict[str, Any], blob: bytes, upload: Upload) -> Outcome:
    """What came of an upload. Raises Garbled, also on the outcome of another one's kind."""
    outcome = _outcome(header, blob)
    asked = Encoded if upload.region is None else EncodedRegion
    if not isinstance(outcome, asked | ImageRejected):
        raise Garbled(f"an {type(outcome).__name__} for an {asked.__name__}")
    return outcome


def _outcome(header: dict[str, Any], blob: bytes) -> Outcome:
    try:
        if reason := header.pop("rejected", None):
            return ImageRejected(reason, **header)
        arrays = load(blob)
        if "region" in header:
            return EncodedRegion(ImageFacts(**header["region"]), arrays["patches"])
        thumbnail = arrays.get("thumbnail")
        kept = [arrays[f"kept.{name}"] for name in _KEPT if f"kept.{name}" in arrays]
        return Encoded(
            facts=ImageFacts(**header["facts"]),
            taps=arrays["taps"],
            patches=arrays["patches"],
            logits=arrays.get("logits"),
            score=header["score"],
            thumbnail=None if thumbnail is None else thumbnail.tobytes(),
            kept=Patches(*kept) if kept else None,
        )
    except (TypeError, KeyError, ValueError, SafetensorError) as error:
        raise Garbled(f"an outcome that cannot be read: {error}") from error
