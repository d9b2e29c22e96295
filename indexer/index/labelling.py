"""What analysts say of indexed images; it outranks what was imported."""

from collections.abc import Sequence

from indexer.errors import UsageError
from indexer.index.core import Index
from indexer.types import Annotation


def label_images(
    index: Index, images: Sequence[str], label: str, family: str | None, author: str
) -> int:
    """Say that these images (sha256) are "real" or "fake", and of which family (None: nothing
    said of it). All are labelled or none; the next search knows it. Returns the generation.

    Raises NotFound on an image that is not there, UsageError on real images of a family.
    """
    if label == "real" and family is not None:
        raise UsageError("real images of a family", expected="fakes, or no family")
    with index.store.commit("label", author) as txn:
        for sha256 in images:
            txn.annotate(sha256, Annotation(label, family), origin="analyst")
    return index.store.generation
