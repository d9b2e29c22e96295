"""Items that were read with the shard that holds them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from indexer.errors import ImageRejected
from indexer.images import Limits
from indexer.images.decoding import check_bytes
from indexer.types import Annotation


@dataclass(frozen=True, slots=True)
class HeldItem:
    """One input with its bytes, or with the reason why there are none."""

    uri: str
    content: bytes | ImageRejected
    annotation: Annotation = field(default_factory=Annotation)
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def read(self, limits: Limits = Limits()) -> bytes:  # noqa: B008 frozen value
        """The bytes. Raises ImageRejected: its own, or "too-many-bytes"."""
        if isinstance(self.content, ImageRejected):
            raise self.content
        check_bytes(len(self.content), limits)
        return self.content
