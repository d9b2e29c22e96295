"""What passes between the service and its model process: messages on two pipes.

A message is a JSON header and a blob. Arrays travel as safetensors, never as pickles, since the
process that decodes hostile images is the one that might turn against the service.
"""

import json
import math
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
from indexer.types import Bool, Encoded, EncodedRegion, Float32, ImageFacts, Masked, Patches

_SIZES: Final = struct.Struct("<II")
_KEPT: Final = ("codes", "scales", "boxes")
MAX_BYTES: Final = 256 * 1024 * 1024
"""No honest message has a header or blob of more."""


@dataclass(frozen=True, slots=True)
class Attended:
    """`rollout` (patches,) float32 of the model's attention on an image."""

    rollout: Float32


Outcome = Encoded | EncodedRegion | Masked | Attended | ImageRejected


class Garbled(ConnectionError):
    """The other side said something that no message is."""


@dataclass(frozen=True, slots=True)
class Upload:
    """An image to encode within limits; `keep`: with the patches that the gallery keeps.

    At most one of the others, instead: the surroundings of a `region`; once for each of `masks`
    (n, rows, columns) that grey out patches; `attend`: the attention on it.
    """

    data: bytes
    limits: Limits
    thumbnail: bool = False
    keep: bool = False
    region: Region | None = None
    masks: Bool | None = None
    attend: bool = False

    @property
    def asks(self) -> type[Encoded | EncodedRegion | Masked | Attended]:
        """What comes of it."""
        if self.region is not None:
            return EncodedRegion
        if self.masks is not None:
            return Masked
        return Attended if self.attend else Encoded


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
    header = {
        "limits": asdict(upload.limits),
        "thumbnail": upload.thumbnail,
        "keep": upload.keep,
        "region": None if upload.region is None else asdict(upload.region),
        "masks": None if upload.masks is None else _packed(upload.masks),
        "attend": upload.attend,
    }
    return pack(header, upload.data)


def to_upload(header: dict[str, Any], blob: bytes) -> Upload:
    """The upload of a message."""
    region, masks = header["region"], header["masks"]
    return Upload(
        blob,
        Limits(**header["limits"]),
        header["thumbnail"],
        header["keep"],
        region and Region(**region),
        masks and _unpacked(masks),
        header["attend"],
    )


def _packed(masks: Bool) -> dict[str, Any]:
    return {"shape": masks.shape, "bits": np.packbits(masks).tobytes().hex()}


def _unpacked(masks: dict[str, Any]) -> Bool:
    bits = np.unpackbits(np.frombuffer(bytes.fromhex(masks["bits"]), np.uint8))
    return bits[: math.prod(masks["shape"])].astype(bool).reshape(masks["shape"])


def pack_outcome(outcome: Outcome) -> bytes:
    """One message for what came of an upload."""
    if isinstance(outcome, Masked):
        evidence = {} if outcome.evidence is None else {"evidence": outcome.evidence}
        return pack({"masked": True}, save({"taps": outcome.taps, **evidence}))
    if isinstance(outcome, Attended):
        return pack({"attended": True}, save({"rollout": outcome.rollout}))
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
    if not isinstance(outcome, upload.asks | ImageRejected):
        raise Garbled(f"{type(outcome).__name__} for {upload.asks.__name__}")
    return outcome


def _outcome(header: dict[str, Any], blob: bytes) -> Outcome:
    try:
        if reason := header.pop("rejected", None):
            return ImageRejected(reason, **header)
        arrays = load(blob)
        if "masked" in header:
            return Masked(arrays["taps"], arrays.get("evidence"))
        if "attended" in header:
            return Attended(arrays["rollout"])
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
