"""What is known of an indexed image."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from fastapi import APIRouter, Path, Query, Response

from indexer.errors import NotFound
from indexer.store import StoredImage
from indexer.types import Annotation, ImageFacts
from search_api.examples import CHECKPOINT, SHA256, ok
from search_api.problems import documented, invalid
from search_api.service import ServiceOf

router = APIRouter(prefix="/v1/images", tags=["images"])

Sha256 = Annotated[
    str,
    Path(pattern="^[0-9a-f]{64}$", description="sha256 of the image's bytes.", examples=[SHA256]),
]
AtGeneration = Annotated[
    int | None,
    Query(ge=0, description="The generation to read; by default the latest.", examples=[3]),
]
INVALID = invalid("path.sha256", "String should match pattern '^[0-9a-f]{64}$'")


@dataclass(frozen=True, slots=True)
class ImageAnswer:
    """An indexed image as a generation saw it.

    `annotation` is what was said of it last; `score` the checkpoint's own p(fake) in [0, 1].
    """

    generation: int
    checkpoint: dict[str, Any]
    sha256: str
    uris: tuple[str, ...]
    facts: ImageFacts
    annotation: Annotation
    metadata: Mapping[str, Any]
    score: float | None
    added_gen: int

    @classmethod
    def of(cls, image: StoredImage, generation: int, checkpoint: dict[str, Any]) -> Self:
        """The public part of a stored image: everything but its row number."""
        return cls(
            generation=generation,
            checkpoint=checkpoint,
            sha256=image.sha256,
            uris=image.uris,
            facts=image.facts,
            annotation=image.annotation,
            metadata=image.metadata,
            score=image.score,
            added_gen=image.added_gen,
        )


EXAMPLE = ImageAnswer(
    generation=3,
    checkpoint=CHECKPOINT,
    sha256=SHA256,
    uris=("fakes/face-swap/0412.jpg",),
    facts=ImageFacts(
        sha256=SHA256,
        bytes=48_211,
        format="JPEG",
        mode="RGB",
        width=640,
        height=480,
        orientation=1,
        animated=False,
    ),
    annotation=Annotation("fake", "face-swap", "agency", captured_at="2026-03-01T12:00:00Z"),
    metadata={"case": "2026-014"},
    score=0.94,
    added_gen=2,
)


@router.get(
    "/{sha256}",
    responses=ok(EXAMPLE) | documented(NotFound(f"no image {SHA256} in the index"), INVALID),
)
def image(sha256: Sha256, service: ServiceOf, generation: AtGeneration = None) -> ImageAnswer:
    """What is known of an indexed image."""
    store = service.index.store
    at = store.generation if generation is None else generation
    return ImageAnswer.of(store.image(sha256, at), at, service.index.checkpoint)


class WebP(Response):
    """A picture."""

    media_type = "image/webp"


@router.get(
    "/{sha256}/thumbnail",
    response_class=WebP,
    responses=documented(
        NotFound(f"no thumbnail of {SHA256}", do="build without --no-thumbnails"), INVALID
    ),
)
def thumbnail(sha256: Sha256, service: ServiceOf, generation: AtGeneration = None) -> WebP:
    """A small picture of an indexed image, which never changes."""
    store = service.index.store
    at = store.generation if generation is None else generation
    data = store.thumbnail(sha256, at)
    if data is None:
        raise NotFound(
            f"image {sha256} was indexed without a thumbnail",
            do="build its index without --no-thumbnails",
        )
    return WebP(
        data,
        headers={
            "Cache-Control": "private, max-age=31536000, immutable",
            "Lineup-Generation": str(at),
            "Lineup-Checkpoint": str(service.index.checkpoint["revision"]),
        },
    )
