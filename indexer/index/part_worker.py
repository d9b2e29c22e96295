"""What a worker does with the parts of a source that it is given, wherever it runs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.encoder import load_encoder
from indexer.index.core import Index, check_passport
from indexer.index.keeping import PatchPolicy
from indexer.index.part_file import write_part
from indexer.index.pipeline import encode_items
from indexer.sources.storage import Place
from indexer.types import ImageSource, Passport

Digests = NDArray[np.bytes_]
"""(n,) sha256 of 32 bytes each, sorted."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked of every worker: which encoder (`load`: arguments of `load_encoder`), for
    which encodings, and what is kept of an image."""

    load: Mapping[str, Any]
    passport: Passport
    reference: Mapping[str, Any]
    patches: PatchPolicy
    thumbnails: bool

    @classmethod
    def of(cls, index: Index, thumbnails: bool, **load: Any) -> "Order":  # noqa: ANN401
        """What an index needs; `load` says more of how its encoder is loaded."""
        store = index.store
        return cls(
            {**index.load, **load},
            store.passport,
            store.reference,
            index.patch_policy,
            thumbnails,
        )


class Worker:
    """Encodes parts with an encoder that is loaded once.

    Raises what `load_encoder` raises, and PassportMismatch."""

    def __init__(self, order: Order, known: Digests) -> None:
        self._order, self._known = order, known
        self._encoder = load_encoder(**order.load)
        check_passport(
            order.passport,
            self._encoder.passport,
            "a worker's encodings",
            "in the index",
            do="give every node the checkpoint that the index was built with",
        )

    def encode(self, part: ImageSource, to: Place) -> None:
        """Write what becomes of a part's inputs to a file, unless it is there already.

        Raises UsageError on a shard that makes no sense, OSError."""
        if to.exists():
            return
        outcomes = encode_items(
            lambda: self._encoder,
            part,
            thumbnails=self._order.thumbnails,
            patches=self._order.patches,
            is_known=self._is_known,
        )
        with to.save() as file:
            write_part(outcomes, file, self._order.passport, dict(self._order.reference))

    def _is_known(self, sha256: str) -> bool:
        first, after = (
            np.searchsorted(self._known, np.bytes_(bytes.fromhex(sha256)), side)
            for side in ("left", "right")
        )
        return bool(first < after)


def digests(sha256s: Iterable[str]) -> Digests:
    """What a worker knows of the images that need not be encoded."""
    return np.sort(np.array([bytes.fromhex(sha256) for sha256 in sha256s], "S32"))
