"""Maps of an image: what matched in a known one, or what speaks for fake."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Query, Request, UploadFile
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from indexer.errors import ImageRejected, NotFound, UsageError
from indexer.explain import (
    Explanation,
    explain_fake,
    explain_match,
    record,
    side_encoded,
    side_stored,
)
from indexer.maps import Faithfulness
from search_api.access import CallerOf
from search_api.asking import FORM, MAX_FIELD_BYTES, form_schema, media_type, single, validated
from search_api.examples import CHECKPOINT, OTHER_SHA256, SHA256, ok
from search_api.looking import Remote
from search_api.problems import (
    ModelUnavailable,
    Overloaded,
    UnsupportedMediaType,
    documented,
    invalid,
)
from search_api.routes.images import INVALID, AtGeneration, Sha256
from search_api.service import Service, ServiceOf

router = APIRouter(prefix="/v1", tags=["maps"])


@dataclass(frozen=True, slots=True)
class MapsAnswer:
    """One picture of maps of one kind, and what it is worth.

    `picture` is a PNG in base64, `alt` what it shows, `says` whole sentences to show beside it.
    `faithfulness` compares each map with chance, `missing` says why one could not be.
    """

    generation: int
    checkpoint: dict[str, Any]
    kind: Literal["match", "fake"]
    query_sha256: str
    other_sha256: str | None
    picture: str
    alt: str
    says: tuple[str, ...]
    faithfulness: Mapping[str, Faithfulness]
    missing: Mapping[str, str]

    @classmethod
    def of(cls, found: Explanation, checkpoint: dict[str, Any]) -> Self:
        """The same in JSON's terms."""
        picture = b64encode(found.picture).decode()
        return cls(checkpoint=checkpoint, picture=picture, **found.to_dict())


class MapsQuery(BaseModel):
    """An uploaded image, and the known one that it is compared with, if any."""

    model_config = ConfigDict(extra="forbid")

    image: UploadFile = Field(description="JPEG, PNG, WebP, TIFF, GIF, BMP or AVIF.")
    hit: str | None = Field(
        None,
        pattern="^[0-9a-f]{64}$",
        description="sha256 of an indexed image: what matched in it; without: what speaks for "
        "fake.",
        examples=[SHA256],
    )
    generation: int | None = Field(
        None, ge=0, description="Compare in the gallery as it was then; by default as it is."
    )

    @classmethod
    def of(cls, form: FormData) -> Self:
        """Raises RequestValidationError."""
        return validated(lambda: cls.model_validate(single(form)))


EXAMPLE = MapsAnswer(
    generation=3,
    checkpoint=CHECKPOINT,
    kind="match",
    query_sha256=SHA256,
    other_sha256=OTHER_SHA256,
    picture="iVBORw0KGgo=",
    alt="The two images side by side, yellow where their patches match best",
    says=("196 patches of the image were compared with 32 of the other.",),
    faithfulness={"match": Faithfulness(0.1, 0.04, 0.029, 24, 0.04)},
    missing={},
)
NO_HIT = NotFound(f"no image {SHA256} in generation 3 of the index")
NOTHING_TO_DRAW = UsageError(
    f"image {SHA256[:12]} was indexed without a thumbnail to draw on",
    do="build its index without --no-thumbnails, or give the image's file",
)


PROBLEMS = documented(
    HTTPException(400, "Missing boundary in multipart."),
    HTTPException(413, "a request body of more than 33,554,432 bytes; expected at most that"),
    UnsupportedMediaType("a body of type text/plain", expected=FORM),
    invalid("hit", "String should match pattern '^[0-9a-f]{64}$'"),
    NO_HIT,
    NOTHING_TO_DRAW,
    ImageRejected("truncated", "a damaged JPEG: image file is truncated"),
    Overloaded("16 uploads are waiting for the model", do="try again later"),
    ModelUnavailable("the model has not answered within 60 s", do="try again later"),
)


@router.get(
    "/images/{sha256}/maps", responses=ok(EXAMPLE) | documented(NO_HIT, NOTHING_TO_DRAW, INVALID)
)
def match(
    sha256: Sha256,
    hit: Annotated[str, Query(pattern="^[0-9a-f]{64}$", examples=[OTHER_SHA256])],
    service: ServiceOf,
    caller: CallerOf,
    generation: AtGeneration = None,
) -> MapsAnswer:
    """What matched in two indexed images, in the patches that the index keeps of them.

    Without the file of either nothing can be greyed out, so the map is not compared with chance.
    """
    index = service.index
    at = index.store.generation if generation is None else generation
    here, there = side_stored(index, sha256, at), side_stored(index, hit, at)
    found = explain_match(index, here, there, None, at)
    return _recorded(service, found, caller.name)


@router.post(
    "/maps",
    responses=ok(EXAMPLE) | PROBLEMS,
    openapi_extra={
        "requestBody": {"required": True, "content": {FORM: {"schema": form_schema(MapsQuery)}}}
    },
)
async def explain(request: Request, service: ServiceOf, caller: CallerOf) -> MapsAnswer:
    """What matched in an uploaded image and a `hit`, or without one what speaks for fake.

    The model looks at the image about 30 times for the former, about 100 times for the latter,
    which takes seconds. A map of what speaks for fake is not a tamper localisation.
    """
    kind = media_type(request)
    if kind != FORM:
        raise UnsupportedMediaType(f"a body of type {kind or 'unknown'}", expected=FORM)
    async with request.form(max_files=1, max_fields=10, max_part_size=MAX_FIELD_BYTES) as form:
        asked = MapsQuery.of(form)
        data = await asked.image.read()
    encoded = await service.encode_query(data, caller.name, thumbnail=True)
    looker, index = Remote(service, data, encoded), service.index

    def explained() -> MapsAnswer:
        at = index.store.generation if asked.generation is None else asked.generation
        if asked.hit is None:
            found = explain_fake(index, looker, at)
        else:
            there = side_stored(index, asked.hit, at)
            found = explain_match(index, side_encoded(index, encoded, at), there, looker, at)
        return _recorded(service, found, caller.name)

    return await run_in_threadpool(explained)


def _recorded(service: Service, found: Explanation, author: str) -> MapsAnswer:
    record(service.index, found, author)
    return MapsAnswer.of(found, service.index.checkpoint)
