"""What analysts say of images."""

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from indexer.errors import NotFound, UsageError
from indexer.index.labelling import label_images
from search_api.access import CallerOf
from search_api.examples import SHA256, ok
from search_api.problems import documented, invalid
from search_api.service import ServiceOf

router = APIRouter(prefix="/v1", tags=["labels"])


class Labels(BaseModel):
    """One label for some images."""

    model_config = ConfigDict(extra="forbid")

    images: list[Annotated[str, Field(pattern="^[0-9a-f]{64}$")]] = Field(
        min_length=1, max_length=1000, description="sha256 of each.", examples=[[SHA256]]
    )
    label: Literal["real", "fake"]
    family: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="The family of fakes; without one nothing is said of it.",
        examples=["face-swap"],
    )


@dataclass(frozen=True, slots=True)
class Labelled:
    """`images` were labelled; searches know it from this generation on."""

    generation: int
    images: int


@router.post(
    "/labels",
    responses=ok(Labelled(4, 1))
    | documented(
        NotFound(f"no image {SHA256} in the index"),
        UsageError("real images of a family", expected="fakes, or no family"),
        invalid("body.images", "List should have at least 1 item after validation, not 0"),
    ),
)
def label(asked: Labels, service: ServiceOf, caller: CallerOf) -> Labelled:
    """Say that images are real or fake, and of which family; all of them or none.

    It outranks what was imported, a later word outranks it, and nothing is forgotten: earlier
    generations are answered as they were.
    """
    generation = label_images(
        service.index, asked.images, asked.label, asked.family, author=caller.name
    )
    return Labelled(generation, len(set(asked.images)))
