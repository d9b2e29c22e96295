"""Many searches in one request, answered one by one as they are done."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException

from indexer.errors import LineupError, UsageError
from indexer.index import Answer, query_encoded, query_stored
from search_api.access import CallerOf
from search_api.asking import (
    FORM,
    JSON,
    MAX_BATCH,
    MAX_FIELD_BYTES,
    ImageBatch,
    StoredBatch,
    form_schema,
    media_type,
)
from search_api.examples import ANSWER, SHA256
from search_api.problems import Problem, UnsupportedMediaType, documented, invalid
from search_api.routes.search import answer_to
from search_api.service import ServiceOf

router = APIRouter(prefix="/v1", tags=["search"])

NDJSON = "application/x-ndjson"
AT_ONCE: Final = 4
"""Searches of one request in work at once: others shall have their turn."""

Item = tuple[str, Callable[[], Awaitable[Answer]]]
"""How an image is called, and its search."""


class Lines(StreamingResponse):
    """JSON objects, one a line."""

    media_type = NDJSON


def line(position: int, name: str, outcome: Answer | LineupError) -> str:
    """One outcome: {"position", "name", and "answer" or "problem"}."""
    told: dict[str, Any] = {"position": position, "name": name}
    if isinstance(outcome, LineupError):
        told["problem"] = Problem.of(outcome).to_dict()
    else:
        told["answer"] = outcome.to_dict()
    return json.dumps(told, ensure_ascii=False, allow_nan=False) + "\n"


async def lines(items: Sequence[Item]) -> AsyncIterator[str]:
    """The outcome of each, in order; a few are in work at once."""

    async def outcome(search: Callable[[], Awaitable[Answer]]) -> Answer | LineupError:
        try:
            return await search()
        except LineupError as error:
            return error

    working: deque[asyncio.Task[Answer | LineupError]] = deque()
    waiting = deque(items)
    try:
        for position, (name, _) in enumerate(items):
            while waiting and len(working) < AT_ONCE:
                working.append(asyncio.create_task(outcome(waiting.popleft()[1])))
            yield line(position, name, await working[0])
            working.popleft()
    finally:
        for task in working:
            task.cancel()


EXAMPLE = line(0, "suspicious.jpg", ANSWER)
STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {NDJSON: {"schema": {"type": "string"}, "example": EXAMPLE}}}
}
REQUEST_BODY = {
    "required": True,
    "content": {
        FORM: {"schema": form_schema(ImageBatch)},
        JSON: {
            "schema": StoredBatch.model_json_schema(),
            "examples": {"indexed images": {"value": {"ids": [SHA256], "k": 5}}},
        },
    },
}


@router.post(
    "/search:batch",
    response_class=Lines,
    responses=STREAM
    | documented(
        HTTPException(400, "Missing boundary in multipart."),
        HTTPException(413, "a request body of more than 33,554,432 bytes; expected at most that"),
        UnsupportedMediaType("a body of type text/plain", expected=f"{FORM} or {JSON}"),
        invalid("ids", "List should have at least 1 item after validation, not 0"),
        UsageError("filter, position 1: found colour", expected="a field"),
    ),
    openapi_extra={"requestBody": REQUEST_BODY},
)
async def batch(request: Request, service: ServiceOf, caller: CallerOf) -> Lines:
    """The known images that are most like each of these.

    The answer is one JSON object a line, in the order of the images, sent as each is done:
    `position`, `name` (of the file, or the id) and either `answer`, as of /v1/search, or
    `problem`.
    """
    asked: ImageBatch | StoredBatch
    match media_type(request):
        case "multipart/form-data":
            async with request.form(
                max_files=MAX_BATCH, max_fields=10, max_part_size=MAX_FIELD_BYTES
            ) as form:
                asked = ImageBatch.of(form)
                images = [(image.filename or "", await image.read()) for image in asked.image]
        case "application/json":
            asked = StoredBatch.of(await request.body())
        case other:
            raise UnsupportedMediaType(
                f"a body of type {other or 'unknown'}", expected=f"{FORM} or {JSON}"
            )
    where = asked.filter()

    async def uploaded(data: bytes) -> Answer:
        query = query_encoded(await service.encode_query(data, caller.name, keep=asked.rerank))
        return await run_in_threadpool(answer_to, query, service, asked, where, caller)

    def answer_stored(digest: str) -> Answer:
        query = query_stored(service.index, digest, asked.generation)
        return answer_to(query, service, asked, where, caller)

    async def stored(digest: str) -> Answer:
        return await run_in_threadpool(answer_stored, digest)

    items: list[Item]
    if isinstance(asked, ImageBatch):
        items = [(name, partial(uploaded, data)) for name, data in images]
    else:
        items = [(digest, partial(stored, digest)) for digest in asked.ids]
    return Lines(lines(items))
