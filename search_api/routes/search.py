"""Search by an uploaded image or by an indexed one."""

from collections.abc import Callable
from functools import partial

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from indexer.errors import ImageRejected, NotFound, UsageError
from indexer.filters import Filter
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
from search_api.access import Caller, caller_of
from search_api.asking import (
    FORM,
    JSON,
    MAX_FIELD_BYTES,
    ImageQuery,
    NamedQuery,
    RegionOptions,
    Reranking,
    form_schema,
    media_type,
)
from search_api.examples import ANSWER, SHA256, ok
from search_api.problems import (
    ModelUnavailable,
    Overloaded,
    UnsupportedMediaType,
    UrlRefused,
    UrlUnreachable,
    documented,
    invalid,
)
from search_api.service import Service, service_of

router = APIRouter(prefix="/v1", tags=["search"])

REQUEST_BODY = {
    "required": True,
    "content": {
        FORM: {"schema": form_schema(ImageQuery)},
        JSON: {
            "schema": NamedQuery.model_json_schema(),
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
    UrlRefused("the host 'elsewhere.example' is not on this service's list"),
    UrlUnreachable("the URL was answered with 404"),
    *UPLOAD_ERRORS,
)


async def uploaded(
    service: Service, caller: Caller, data: bytes, asked: RegionOptions
) -> Callable[[], Query | RegionQuery]:
    """The query of an image that is encoded for it."""
    region = asked.box()
    if region is None:
        found = await service.encode_query(data, caller.name, keep=asked.rerank)
        return partial(query_encoded, found)
    encoded = await service.encode_region(data, region, caller.name)
    return partial(region_encoded, service.index, encoded, region)


def answer_to(
    query: Query, service: Service, asked: Reranking, where: Filter | None, caller: Caller
) -> Answer:
    """The answer to one query. Raises NotFound, UsageError."""
    return search_index(
        service.index,
        query,
        asked.k,
        where=where,
        generation=asked.generation,
        risk=asked.risk,
        rerank=asked.rerank,
        author=caller.name,
    )


@router.post(
    "/search",
    responses=ok(ANSWER) | PROBLEMS,
    openapi_extra={"requestBody": REQUEST_BODY},
)
async def search(request: Request) -> Answer | RegionAnswer:
    """The known images that are most like this one, or that show a region of it, best first.

    The image is uploaded as a form with the field `image`, or named by the sha256 of an
    indexed image in JSON; the other fields are the same. An uploaded image is not kept, unless the
    operator has chosen `--keep-queries`.
    """
    # Not as dependencies: to have them solved is a seventh of the framework's time on a request.
    service, caller = service_of(request), caller_of(request)
    index = service.index
    asked: ImageQuery | NamedQuery
    query: Callable[[], Query | RegionQuery]
    match media_type(request):
        case "multipart/form-data":
            async with request.form(
                max_files=1, max_fields=10, max_part_size=MAX_FIELD_BYTES
            ) as form:
                asked = ImageQuery.of(form)
                where = asked.filter()
                data = await asked.image.read()
            query = await uploaded(service, caller, data, asked)
        case "application/json":
            asked = NamedQuery.of(await request.body())
            where, region = asked.filter(), asked.box()
            if asked.id is None:
                fetched = await service.fetcher.fetch(asked.url or "")
                query = await uploaded(service, caller, fetched, asked)
            elif region is None:
                query = partial(query_stored, index, asked.id, asked.generation)
            else:
                query = partial(region_stored, index, asked.id, region, asked.generation)
        case other:
            raise UnsupportedMediaType(
                f"a body of type {other or 'unknown'}", expected=f"{FORM} or {JSON}"
            )

    def answer() -> Answer | RegionAnswer:
        found = query()
        if isinstance(found, RegionQuery):
            return search_region(
                index,
                found,
                asked.k,
                where=where,
                generation=asked.generation,
                author=caller.name,
            )
        return answer_to(found, service, asked, where, caller)

    return await run_in_threadpool(answer)
