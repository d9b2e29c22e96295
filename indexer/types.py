"""The values that cross the seams. No behaviour beyond what follows from the values."""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.precision import comparable

Float32 = NDArray[np.float32]
Float16 = NDArray[np.float16]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]
RGB = NDArray[np.uint8]
"""(height, width, 3) uint8, upright (EXIF orientation applied), sRGB values as decoded."""


@dataclass(frozen=True, slots=True)
class Passport:
    """Everything that must be equal for two encodings to be comparable.

    `preprocessing` is the recipe in canonical JSON form, `taps` names the rows of a tap
    array in order ("3.cls", "3.mean", "3.std", "6.cls", ...), `patch_layer` the layer whose
    tokens are the patches, `dim` the width of each tap and patch.
    `precision` is the class of arithmetic (`indexer.precision.BOUNDS`).
    """

    weights_sha256: str
    preprocessing: str
    taps: tuple[str, ...]
    patch_layer: int
    dim: int
    precision: str

    @property
    def digest(self) -> str:
        """sha256 over the canonical JSON of all fields, 64 hex digits."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Passport":
        fields = json.loads(text)
        return cls(**{**fields, "taps": tuple(fields["taps"])})

    def differences(self, other: "Passport") -> dict[str, tuple[object, object]]:
        """Field -> (mine, theirs) for every field that differs; empty when comparable.

        Precision classes that `indexer.precision` lets mix do not differ."""
        mine, theirs = asdict(self), asdict(other)
        if comparable(self.precision, other.precision):
            theirs["precision"] = self.precision
        return {key: (mine[key], theirs[key]) for key in mine if mine[key] != theirs[key]}


@dataclass(frozen=True, slots=True)
class Patches:
    """Patch tokens that are kept of one image.

    Token i is `codes[i] * scales[i]`: `codes` (n, dim) int8, `scales` (n,) float32; `boxes`
    (n, 4) float32 is what each covers, left, top, right, bottom in pixels of the image.
    """

    codes: NDArray[np.int8]
    scales: Float32
    boxes: Float32


@dataclass(frozen=True, slots=True)
class Encodings:
    """What an encoder yields for a batch of n images.

    `taps` (n, taps, dim) float32; `patches` (n, rows, columns, dim) float32, the patch
    tokens of the residual stream after the passport's `patch_layer`; `logits` (n, classes)
    float32 as the head gives them, or None for a tower without a head; `scores` (n,)
    float32, the checkpoint's own p(fake) in [0, 1], or None without a head.
    """

    taps: Float32
    patches: Float32
    logits: Float32 | None
    scores: Float32 | None


@dataclass(frozen=True, slots=True)
class Masked:
    """What an encoder yields for one image of which n times some patches are greyed out.

    `taps` (n, taps, dim) float32; `evidence` (n,) float32, the log-odds of fake, or None without
    a head.
    """

    taps: Float32
    evidence: Float32 | None


class Encoder(Protocol):
    """RGB images to encodings, with one checkpoint on one engine."""

    @property
    def passport(self) -> Passport: ...
    @property
    def batch(self) -> int:
        """So many images a call suit the engine."""
        ...

    def prepare(self, image: RGB) -> Float32:
        """The model's input for one image of any size: (views, 3, height, width) float32.

        Pure and safe in any thread, so that workers can keep the engine fed."""
        ...

    def encode_prepared(self, inputs: Sequence[Float32]) -> Encodings:
        """Encode prepared images; the result does not depend on the batch size."""
        ...

    def encode(self, images: Sequence[RGB]) -> Encodings:
        """Prepare and encode images of any sizes."""
        ...

    def encode_patches(self, inputs: Sequence[Float32]) -> Float32:
        """Only the patches, (n, rows, columns, dim), of single model inputs, each (3, height,
        width): parts of images at a magnification of their own."""
        ...


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What is known of an image from its bytes alone.

    `width` and `height` are upright pixels; `orientation` is the EXIF value 1..8 that was
    applied (1: none); `animated`: more frames or pages follow the first, the only one used.
    """

    sha256: str
    bytes: int
    format: str
    mode: str
    width: int
    height: int
    orientation: int
    animated: bool


@dataclass(frozen=True, slots=True)
class Encoded:
    """An image and its encoding, as `Encodings` has them for a batch.

    `taps` (taps, dim), `patches` (rows, columns, dim) and `logits` (classes,) float32; `logits`
    and `score`, p(fake) in [0, 1], are None without a head. `kept` are the patches for the gallery.
    """

    facts: ImageFacts
    taps: Float32
    patches: Float32
    logits: Float32 | None
    score: float | None
    thumbnail: bytes | None
    kept: Patches | None = None


@dataclass(frozen=True, slots=True)
class EncodedRegion:
    """A region of an image: `patches` (windows, rows, columns, dim) float32 of its surroundings,
    at one magnification each."""

    facts: ImageFacts
    patches: Float32


@dataclass(frozen=True, slots=True)
class Annotation:
    """What somebody says about an image. `label` is "real" or "fake"; None is unknown."""

    label: str | None = None
    family: str | None = None
    source: str | None = None
    captured_at: str | None = None


class SourceItem(Protocol):
    """One input of a build, before it is read."""

    @property
    def uri(self) -> str: ...
    @property
    def annotation(self) -> Annotation: ...
    @property
    def metadata(self) -> Mapping[str, Any]: ...
    def read(self) -> bytes:
        """The bytes. Raises ImageRejected ("missing", "unreadable", "too-many-bytes")."""
        ...


@dataclass(frozen=True, slots=True)
class Shard:
    """One file that holds many inputs; `version` changes with its content."""

    uri: str
    version: str


class ImageSource(Protocol):
    """A collection of inputs in a fixed order; it can be iterated again."""

    @property
    def name(self) -> str:
        """The same for the same inputs, in whichever process."""
        ...

    @property
    def count(self) -> int | None:
        """How many inputs there are; None where only reading them would tell."""
        ...

    def __iter__(self) -> Iterator[SourceItem | Shard]:
        """The inputs and, after the last one of a shard, the shard."""
        ...

    def without(self, done: Collection[Shard]) -> "ImageSource":
        """The same without the shards that are `done`."""
        ...

    def parts(self, size: int) -> Iterator["ImageSource"]:
        """The same in parts that can be read anywhere: of at most `size` inputs, or one shard."""
        ...


class VectorIndex(Protocol):
    """Ids and unit vectors -> nearest by cosine.

    Implementations: `indexer.vectors.exact` (NumPy, the oracle), `indexer.vectors.faiss_index`
    and `indexer.vectors.milvus_index`.
    """

    def __len__(self) -> int: ...

    def search(self, query: Float32, k: int, allowed: Int64 | None = None) -> tuple[Int64, Float32]:
        """The min(k, size) most similar, ordered by (similarity descending, id ascending).

        `query` (dim,) float32, finite; `allowed` restricts to these ids (sorted, unique).
        Returns ids (m,) int64 and similarities (m,) float32 in [-1, 1]. A filter never
        loses results. Raises UsageError on a non-finite or wrongly shaped query or k < 1.
        """
        ...
