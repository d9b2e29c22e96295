"""Search by an uploaded image or by an indexed one."""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal, Self, TypeVar

from fastapi import APIRouter, Request, UploadFile
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from indexer.calibration import RISK
from indexer.errors import ImageRejected, NotFound, UsageError
from indexer.filters import Filter, narrowed
from indexer.images.region import Region
from indexer.index import (
    Answer,
    Query,
    RegionAnswer,
    RegionQuery,
    query_encoded,
    query_stored,
    region_encoded,
    region_stored,
    search_region,
)
from indexer.index import search as search_index
from search_api.access import CallerOf
from search_api.examples import ANSWER, SHA256, ok
from search_api.problems import (
    ModelUnavailable,
    Overloaded,
    UnsupportedMediaType,
    documented,
    invalid,
)
from search_api.service import ServiceOf

router = APIRouter(prefix="/v1", tags=["search"])

FORM, JSON = "multipart/form-data", "application/json"
MAX_FIELD_BYTES = 64 * 1024


class Options(BaseModel):
    """What a search may be told besides the image."""

    model_config = ConfigDict(extra="forbid")

    k: int = Field(10, ge=1, le=1000, description="How many hits at most.")
    where: str | None = Field(
        None,
        max_length=10_000,
        description="Only images that match this filter.",
        examples=["source = 'agency' and score > 0.5"],
    )
    label: Literal["real", "fake"] | None = Field(None, description="Only images so labelled.")
    generation: int | None = Field(
        None, ge=0, description="Search the gallery as it was then; by default as it is."
    )
    risk: float = Field(
        RISK, gt=0, lt=1, description="Accepted probability of excluding the true family."
    )

    def filter(self) -> Filter | None:
        """`where` and `label` as one filter. Raises UsageError on a bad one."""
        return narrowed(self.where, self.label)


class RegionOptions(Options):
    """What may be told besides where the answer may be about a part of the image."""

    region: str | None = Field(
        None,
        max_length=200,
        description="Find images that show this part, x,y,w,h in pixels or, if none exceeds 1, "
        "in fractions; the answer then names regions.",
        examples=["0.4,0.5,0.2,0.15"],
    )

    def box(self) -> Region | None:
        """`region` read. Raises UsageError on a bad one."""
        return None if self.region is None else Region.parse(self.region)


class Upload(Options):
    """An uploaded image, which is neither stored nor logged."""

    image: UploadFile = Field(description="JPEG, PNG, WebP, TIFF, GIF, BMP or AVIF.")

    @classmethod
    def of(cls, form: FormData) -> Self:
        """Raises RequestValidationError."""
        fields = dict(form)
        if len(fields) < len(form.multi_items()):
            raise invalid("body", "a field is given more than once")
        return _validated(partial(cls.model_validate, fields))


class ImageQuery(Upload, RegionOptions):
    """Search with an uploaded image."""


class StoredQuery(RegionOptions):
    """Search with an indexed image; needs neither its file nor the model."""

    id: str = Field(pattern="^[0-9a-f]{64}$", description="sha256 of the image.", examples=[SHA256])

    @classmethod
    def of(cls, body: bytes) -> Self:
        """Raises RequestValidationError."""
        return _validated(partial(cls.model_validate_json, body, strict=True))


Model = TypeVar("Model", bound=BaseModel)


def _validated(validate: Callable[[], Model]) -> Model:
    try:
        return validate()
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False)) from error


def form_schema(query: type[Upload]) -> dict[str, Any]:
    """The schema of a form; it has no null, a field is there or it is not."""
    schema = query.model_json_schema()
    for field in schema["properties"].values():
        if "anyOf" in field:
            field.update(field.pop("anyOf")[0])
    return schema


REQUEST_BODY = {
    "required": True,
    "content": {
        FORM: {"schema": form_schema(ImageQuery)},
        JSON: {
            "schema": StoredQuery.model_json_schema(),
            "examples": {
                "indexed image": {"value": {"id": SHA256}},
                "with a filter": {
                    "value": {
                        "id": SHA256,
                        "k": 5,
                        "label": "fake",
                        "where": "source = 'agency' and score > 0.5",
                    }
                },
                "an earlier generation": {"value": {"id": SHA256, "generation": 1}},
            },
        },
    },
}

UPLOAD_ERRORS = (
    HTTPException(400, "Missing boundary in multipart."),
    HTTPException(413, "a request body of more than 33,554,432 bytes; expected at most that"),
    invalid("k", "Input should be greater than or equal to 1"),
    UsageError("filter, position 1: found colour", expected="a field"),
    ImageRejected("truncated", "a damaged JPEG: image file is truncated"),
    Overloaded("16 uploads are waiting for the model", do="try again later"),
    ModelUnavailable("the model has not answered within 60 s", do="try again later"),
)
"""What a search with an uploaded image may be refused with, by example."""

PROBLEMS = documented(
    NotFound(f"no image {SHA256} in generation 3 of the index"),
    UnsupportedMediaType("a body of type text/plain", expected=f"{FORM} or {JSON}"),
    *UPLOAD_ERRORS,
)


@router.post(
    "/search",
    responses=ok(ANSWER) | PROBLEMS,
    openapi_extra={"requestBody": REQUEST_BODY},
)
async def search(request: Request, service: ServiceOf, caller: CallerOf) -> Answer | RegionAnswer:
    """The known images that are most like this one, or that show a region of it, best first.

    The image is uploaded as a form with the field `image`, or named by the sha256 of an
    indexed image in JSON; the other fields are the same. An uploaded image is not kept.
    """
    index = service.index
    asked: ImageQuery | StoredQuery
    query: Callable[[], Query | RegionQuery]
    match request.headers.get("content-type", "").partition(";")[0].strip().lower():
        case "multipart/form-data":
            async with request.form(
                max_files=1, max_fields=10, max_part_size=MAX_FIELD_BYTES
            ) as form:
                asked = ImageQuery.of(form)
                where, region = asked.filter(), asked.box()
                data = await asked.image.read()
            encoded = await service.encode(data, region=region)
            query = partial(query_encoded, encoded)
            if region is not None:
                query = partial(region_encoded, index, encoded, region)
        case "application/json":
            asked = StoredQuery.of(await request.body())
            where, region = asked.filter(), asked.box()
            query = partial(query_stored, index, asked.id, asked.generation)
            if region is not None:
                query = partial(region_stored, index, asked.id, region, asked.generation)
        case other:
            raise UnsupportedMediaType(
                f"a body of type {other or 'unknown'}", expected=f"{FORM} or {JSON}"
            )

    def answer() -> Answer | RegionAnswer:
        found = query()
        common: dict[str, Any] = {
            "k": asked.k,
            "where": where,
            "generation": asked.generation,
            "author": caller.name,
        }
        if isinstance(found, RegionQuery):
            return search_region(index, found, **common)
        return search_index(index, found, risk=asked.risk, **common)

    return await run_in_threadpool(answer)
