"""The map of the gallery: a point in the plane for every image, near where it looks alike."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter

from indexer.errors import NotFound
from indexer.index.cards import Place, places
from search_api.examples import CHECKPOINT, SHA256, ok
from search_api.problems import documented, invalid
from search_api.routes.images import AtGeneration
from search_api.service import ServiceOf

router = APIRouter(prefix="/v1", tags=["families"])


@dataclass(frozen=True, slots=True)
class MapAnswer:
    """The map that the last build of families made; newer images are not on it.

    Nearness is likeness; distances across the map and its axes mean nothing.
    """

    generation: int
    checkpoint: dict[str, Any]
    images: list[Place]


EXAMPLE = Place(SHA256, 0.31, -0.52, "fake", "face-swap", "agency", 0.94, 0.88)


@router.get(
    "/map",
    responses=ok(MapAnswer(3, CHECKPOINT, [EXAMPLE]))
    | documented(
        NotFound("no map yet", do="make one with: indexer families build"),
        invalid("query.generation", "Input should be greater than or equal to 0"),
    ),
)
def gallery_map(service: ServiceOf, generation: AtGeneration = None) -> MapAnswer:
    """Where every image lies, and what is known of it: for a scatter plot."""
    at = service.index.store.generation if generation is None else generation
    return MapAnswer(at, service.index.checkpoint, places(service.index, at))
