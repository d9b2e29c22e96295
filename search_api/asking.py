"""What a request may say, checked: forms and JSON bodies."""

import re
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Final, Literal, Self, TypeVar

from fastapi import Request, UploadFile
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, Json, ValidationError, model_validator
from starlette.datastructures import FormData

from indexer.calibration import RISK
from indexer.filters import Filter, narrowed
from indexer.images.region import Region
from indexer.types import Annotation
from search_api.examples import SHA256
from search_api.problems import invalid

FORM, JSON = "multipart/form-data", "application/json"
MAX_FIELD_BYTES: Final = 64 * 1024
MAX_BATCH: Final = 64
"""Images in one form."""


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


class Reranking(Options):
    """What may be told besides where hits can be re-ranked."""

    rerank: bool = Field(
        False,
        description="Order the first 100 by how well their patches match the query's: what shows "
        "the same comes first, not what was made the same way.",
    )


class RegionOptions(Reranking):
    """What may be told besides where the answer may be about a part of the image."""

    region: str | None = Field(
        None,
        max_length=200,
        description="Find images that show this part, x,y,w,h in pixels or, if none exceeds 1, "
        "in fractions; the answer then names regions.",
        examples=["0.4,0.5,0.2,0.15"],
    )

    @model_validator(mode="after")
    def _ranked_once(self) -> Self:
        if self.rerank and self.region is not None:
            raise ValueError("expected either rerank or region")
        return self

    def box(self) -> Region | None:
        """`region` read. Raises UsageError on a bad one."""
        return None if self.region is None else Region.parse(self.region)


class Upload(Options):
    """An uploaded image."""

    image: UploadFile = Field(description="JPEG, PNG, WebP, TIFF, GIF, BMP or AVIF.")

    @classmethod
    def of(cls, form: FormData) -> Self:
        """Raises RequestValidationError."""
        return validated(partial(cls.model_validate, single(form)))


class ImageQuery(Upload, RegionOptions):
    """Search with an uploaded image."""


class NamedQuery(RegionOptions):
    """Search with an indexed image, which needs neither its file nor the model, or with the image
    behind a URL, where the service fetches any."""

    id: str | None = Field(
        None, pattern="^[0-9a-f]{64}$", description="sha256 of the image.", examples=[SHA256]
    )
    url: str | None = Field(
        None, max_length=2000, description="https, of a host on the service's list."
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.id is None) == (self.url is None):
            raise ValueError("expected either id or url")
        return self

    @classmethod
    def of(cls, body: bytes) -> Self:
        """Raises RequestValidationError."""
        return validated(partial(cls.model_validate_json, body, strict=True))


class ImageBatch(Reranking):
    """Search with several uploaded images."""

    image: list[UploadFile] = Field(
        min_length=1, max_length=MAX_BATCH, description="The images, each a field of this name."
    )

    @classmethod
    def of(cls, form: FormData) -> Self:
        """Raises RequestValidationError."""
        others = [(name, value) for name, value in form.multi_items() if name != "image"]
        fields = single(FormData(others))
        return validated(partial(cls.model_validate, fields | {"image": form.getlist("image")}))


class StoredBatch(Reranking):
    """Search with several indexed images."""

    ids: list[Annotated[str, Field(pattern="^[0-9a-f]{64}$")]] = Field(
        min_length=1,
        max_length=1000,
        description="sha256 of each image.",
        examples=[[SHA256]],
    )

    @classmethod
    def of(cls, body: bytes) -> Self:
        """Raises RequestValidationError."""
        return validated(partial(cls.model_validate_json, body, strict=True))


class NewImage(BaseModel):
    """An image for the gallery, with what is known of it."""

    model_config = ConfigDict(extra="forbid")

    image: UploadFile = Field(description="JPEG, PNG, WebP, TIFF, GIF, BMP or AVIF.")
    uri: str | None = Field(
        None,
        min_length=1,
        max_length=2000,
        description="Where the original is; by default upload: and the file's name.",
    )
    label: Literal["real", "fake"] | None = Field(None, description="What it is known to be.")
    family: str | None = Field(
        None, min_length=1, max_length=200, description="Which manipulation made a fake."
    )
    source: str | None = Field(None, min_length=1, max_length=200, description="Who it is from.")
    captured_at: str | None = Field(
        None, min_length=1, max_length=40, description="When it was taken or seen, ISO 8601."
    )
    metadata: Json[dict[str, Any]] = Field(
        default_factory=dict, description="Whatever else, as one JSON object; can be filtered by."
    )

    @classmethod
    def of(cls, form: FormData) -> Self:
        """Raises RequestValidationError."""
        return validated(partial(cls.model_validate, single(form)))

    @property
    def location(self) -> str:
        """`uri`, or the name that the file came with, without any folders."""
        name = re.split(r"[/\\\\]", self.image.filename or "")[-1]
        return self.uri or f"upload:{name[:200] or 'unnamed'}"

    @property
    def annotation(self) -> Annotation:
        """The labels. A real image has no family."""
        family = None if self.label == "real" else self.family
        return Annotation(self.label, family, self.source, self.captured_at)


Model = TypeVar("Model", bound=BaseModel)


def validated(validate: Callable[[], Model]) -> Model:
    """What `validate` returns. Raises RequestValidationError where it finds fault."""
    try:
        return validate()
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False)) from error


def form_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The schema of a form; a form has no null, a field is there or it is not."""
    schema = model.model_json_schema()
    for field in schema["properties"].values():
        if "anyOf" in field:
            field.update(field.pop("anyOf")[0])
    return schema


def single(form: FormData) -> dict[str, Any]:
    """The fields of a form. Raises RequestValidationError when one is given twice."""
    fields = dict(form)
    if len(fields) < len(form.multi_items()):
        raise invalid("body", "a field is given more than once")
    return fields


def media_type(request: Request) -> str:
    """The content type of a body, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
