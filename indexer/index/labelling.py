"""What analysts say of indexed images; it outranks what was imported."""

from collections.abc import Sequence

from indexer.families.actions import Label
from indexer.index.core import Index
from indexer.index.families import decide


def label_images(
    index: Index, images: Sequence[str], label: str | None, family: str | None, author: str
) -> int:
    """Say that these images (sha256) are "real" or "fake", and of which family (None: nothing
    said of it). All are labelled or none; the next search knows it. Returns the generation,
    which is the number of the decision.

    Raises NotFound on an image that is not there, UsageError on real images of a family.
    """
    return decide(index, Label.of(tuple(images), label, family), author)
