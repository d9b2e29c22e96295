"""Images into the gallery and out of it."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from indexer.errors import ImageRejected, NotFound, UsageError
from indexer.images import sha256 as digest_of
from indexer.index.ingest import Ingested, ingest, ingest_again, take_out
from search_api.access import Caller, CallerOf
from search_api.asking import FORM, MAX_FIELD_BYTES, NewImage, form_schema, media_type
from search_api.examples import SHA256, ok
from search_api.problems import (
    ModelUnavailable,
    Overloaded,
    UnsupportedMediaType,
    documented,
    invalid,
)
from search_api.routes.images import INVALID, Sha256
from search_api.service import Service, ServiceOf

router = APIRouter(prefix="/v1/images", tags=["images"])

PROBLEMS = documented(
    HTTPException(400, "Missing boundary in multipart."),
    HTTPException(413, "a request body of more than 33,554,432 bytes; expected at most that"),
    UnsupportedMediaType("a body of type text/plain", expected=FORM),
    invalid("label", "Input should be 'real' or 'fake'"),
    UsageError("metadata of upload:a.jpg: Out of range float values", expected="JSON values"),
    ImageRejected("truncated", "a damaged JPEG: image file is truncated"),
    Overloaded("16 uploads are waiting for the model", do="try again later"),
    ModelUnavailable("the model has not answered within 60 s", do="try again later"),
)

DONE: dict[int | str, dict[str, Any]] = {
    201: {"description": "The image was added.", **ok(Ingested(SHA256, 4, added=True))[200]},
    200: {
        "description": "The image was known already.",
        "model": Ingested,
        **ok(Ingested(SHA256, 4, added=False))[200],
    },
}


@router.post(
    "",
    status_code=201,
    responses=DONE | PROBLEMS,
    openapi_extra={
        "requestBody": {"required": True, "content": {FORM: {"schema": form_schema(NewImage)}}}
    },
)
async def add(
    request: Request, response: Response, service: ServiceOf, caller: CallerOf
) -> Ingested:
    """Add an image to the gallery, durably; the next search finds it.

    The same content again adds nothing but a location and labels. The file itself is not kept,
    a thumbnail is.
    """
    if media_type(request) != FORM:
        raise UnsupportedMediaType(
            f"a body of type {media_type(request) or 'unknown'}", expected=FORM
        )
    async with request.form(max_files=1, max_fields=10, max_part_size=MAX_FIELD_BYTES) as form:
        asked = NewImage.of(form)
        data = await asked.image.read()
    done = await _ingested(service, asked, data, caller)
    if not done.added:
        response.status_code = 200
    service.upkeep.grown()
    return done


async def _ingested(service: Service, asked: NewImage, data: bytes, caller: Caller) -> Ingested:
    index, digest = service.index, digest_of(data)
    if await run_in_threadpool(index.store.known, [digest]):
        return await run_in_threadpool(
            ingest_again, index, digest, asked.location, asked.annotation, author=caller.name
        )
    encoded = await service.encode(data, thumbnail=True, keep=True)
    return await run_in_threadpool(
        ingest,
        index,
        encoded,
        asked.location,
        asked.annotation,
        asked.metadata,
        author=caller.name,
    )


@dataclass(frozen=True, slots=True)
class Removed:
    """From `generation` on, the image is not in the gallery."""

    sha256: str
    generation: int


@router.delete(
    "/{sha256}",
    responses=ok(Removed(SHA256, 5))
    | documented(NotFound(f"no image {SHA256} in generation 3 of the index"), INVALID),
)
def remove(sha256: Sha256, service: ServiceOf, caller: CallerOf) -> Removed:
    """Take an image out of the gallery. Earlier generations can still be searched."""
    done = Removed(sha256, take_out(service.index, sha256, author=caller.name))
    service.upkeep.grown()
    return done
