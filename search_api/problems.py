"""Problem details (RFC 9457): the one translation from errors to HTTP answers.

`type` is `urn:lineup:problem:<code>`; codes never change their meaning.
"""

from collections import defaultdict
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException

from indexer.errors import ImageRejected, LineupError
from search_api.headers import SECURITY_HEADERS

PREFIX = "urn:lineup:problem:"
MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 1

KINDS: Mapping[str, tuple[HTTPStatus, str]] = {
    "bad-request": (HTTPStatus.BAD_REQUEST, "The request cannot be read"),
    "unauthenticated": (HTTPStatus.UNAUTHORIZED, "A key is needed"),
    "forbidden": (HTTPStatus.FORBIDDEN, "The key may not do this"),
    "cross-site": (HTTPStatus.FORBIDDEN, "The request comes from another site"),
    "not-found": (HTTPStatus.NOT_FOUND, "What was named does not exist"),
    "method-not-allowed": (HTTPStatus.METHOD_NOT_ALLOWED, "The method is not offered here"),
    "request-timeout": (HTTPStatus.REQUEST_TIMEOUT, "The request came too slowly"),
    "passport-mismatch": (HTTPStatus.CONFLICT, "The encodings are not comparable"),
    "content-too-large": (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The request body is too large"),
    "head-too-large": (
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        "The request's headers are too large",
    ),
    "unsupported-media-type": (
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "The content type is not accepted here",
    ),
    "invalid-request": (
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "A field is missing, unknown or out of range",
    ),
    "usage": (HTTPStatus.UNPROCESSABLE_ENTITY, "The request cannot be met as it is asked"),
    "image-rejected": (HTTPStatus.UNPROCESSABLE_ENTITY, "The bytes are no image that can be used"),
    "url-refused": (HTTPStatus.UNPROCESSABLE_ENTITY, "This URL is not fetched"),
    "url-unreachable": (HTTPStatus.BAD_GATEWAY, "The URL does not give an image"),
    "too-many-requests": (HTTPStatus.TOO_MANY_REQUESTS, "More requests than are allowed"),
    "error": (HTTPStatus.INTERNAL_SERVER_ERROR, "The service failed"),
    "checkpoint": (HTTPStatus.INTERNAL_SERVER_ERROR, "The checkpoint cannot be used"),
    "engine-refused": (HTTPStatus.INTERNAL_SERVER_ERROR, "The engine computes something else"),
    "missing-extra": (HTTPStatus.INTERNAL_SERVER_ERROR, "A package is not installed"),
    "index-damaged": (HTTPStatus.INTERNAL_SERVER_ERROR, "The index is damaged"),
    "index-busy": (HTTPStatus.SERVICE_UNAVAILABLE, "The index is held by another process"),
    "vectors-unavailable": (HTTPStatus.SERVICE_UNAVAILABLE, "The vector database does not answer"),
    "index-unreachable": (HTTPStatus.SERVICE_UNAVAILABLE, "The index cannot be reached"),
    "overloaded": (HTTPStatus.SERVICE_UNAVAILABLE, "The service has all the work it can take"),
    "model-unavailable": (HTTPStatus.SERVICE_UNAVAILABLE, "The model does not answer"),
}
"""Code -> status and title."""

CODES_OF_STATUS = {
    HTTPStatus.BAD_REQUEST: "bad-request",
    HTTPStatus.NOT_FOUND: "not-found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method-not-allowed",
    HTTPStatus.REQUEST_TIMEOUT: "request-timeout",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "content-too-large",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "head-too-large",
    HTTPStatus.TOO_MANY_REQUESTS: "too-many-requests",
    HTTPStatus.SERVICE_UNAVAILABLE: "overloaded",
}
"""The codes of errors that the framework raises by status."""


class UnsupportedMediaType(LineupError):
    """A body in a content type that the route does not take."""

    code = "unsupported-media-type"


class Overloaded(LineupError):
    """As much work is waiting as the settings allow."""

    code = "overloaded"


class Unauthenticated(LineupError):
    """No key where one is needed, or one that is not known (any more)."""

    code = "unauthenticated"
    headers: ClassVar = {"WWW-Authenticate": 'Bearer realm="lineup"'}


class Forbidden(LineupError):
    """A key without the scope that the route needs."""

    code = "forbidden"


class CrossSite(LineupError):
    """What a browser was made to ask by the page of another site."""

    code = "cross-site"


class TooManyRequests(LineupError):
    """A key used faster, or more often at once, than the settings allow.

    `headers` say when to come again.
    """

    code = "too-many-requests"

    def __init__(self, found: str, headers: Mapping[str, str]) -> None:
        super().__init__(found, do="try again after Retry-After seconds")
        self.headers = headers


class ModelUnavailable(LineupError):
    """The model's process is dead, hung or not done in time."""

    code = "model-unavailable"


class UrlRefused(LineupError):
    """A URL that the service does not fetch from."""

    code = "url-refused"


class UrlUnreachable(LineupError):
    """A URL that may be fetched but cannot be."""

    code = "url-unreachable"


class FieldError(BaseModel):
    """What is wrong with one field of the request."""

    field: str
    message: str


class Problem(BaseModel):
    """Problem details as RFC 9457 has them, with what was expected and what to do."""

    type: str = Field(description=f"{PREFIX}<code>; stable.")
    title: str = Field(description="The same for every problem of this type.")
    status: int
    detail: str = Field(description="What was found, what was expected, what to do, in one line.")
    expected: str | None = None
    do: str | None = None
    reason: str | None = Field(None, description="Why an image was rejected: a stable slug.")
    errors: list[FieldError] | None = None

    @classmethod
    def of(cls, error: Exception) -> "Problem":
        """The problem that tells of `error`; an unforeseen one does not show its inside."""
        match error:
            case LineupError():
                return cls._of_code(
                    error.code,
                    detail=str(error),
                    expected=error.expected or None,
                    do=error.do or None,
                    reason=error.reason if isinstance(error, ImageRejected) else None,
                )
            case RequestValidationError():
                errors = [
                    FieldError(field=".".join(map(str, part["loc"])), message=part["msg"])
                    for part in error.errors()
                ]
                detail = "; ".join(f"{part.field}: {part.message}" for part in errors)
                return cls._of_code("invalid-request", detail=detail, errors=errors)
            case HTTPException():
                return cls._of_code(CODES_OF_STATUS[HTTPStatus(error.status_code)], error.detail)
            case _:
                return cls._of_code("error", "an unforeseen error; the service's log has more")

    @classmethod
    def _of_code(
        cls,
        code: str,
        detail: str,
        *,
        expected: str | None = None,
        do: str | None = None,
        reason: str | None = None,
        errors: list[FieldError] | None = None,
    ) -> "Problem":
        status, title = KINDS[code]
        return cls(
            type=PREFIX + code,
            title=title,
            status=status,
            detail=detail,
            expected=expected,
            do=do,
            reason=reason,
            errors=errors,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, without what does not apply."""
        return self.model_dump(exclude_none=True)


def respond(error: Exception) -> JSONResponse:
    """The answer that tells of `error`."""
    problem = Problem.of(error)
    headers = dict(SECURITY_HEADERS)
    if problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    headers.update(getattr(error, "headers", None) or {})
    return JSONResponse(problem.to_dict(), problem.status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a problem."""

    async def handler(_: Request, error: Exception) -> JSONResponse:
        return respond(error)

    for kind in (LineupError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, handler)


def documented(*errors: Exception) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's `responses` for the problems that a route may answer with, by example."""
    examples: dict[int, dict[str, Any]] = defaultdict(dict)
    titles: dict[int, list[str]] = defaultdict(list)
    for error in errors:
        problem = Problem.of(error)
        titles[problem.status].append(problem.title)
        examples[problem.status][problem.type.removeprefix(PREFIX)] = {"value": problem.to_dict()}
    return {
        status: {
            "description": "; ".join(titles[status]),
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "examples": examples[status],
                }
            },
        }
        for status in examples
    }


def invalid(field: str, message: str) -> RequestValidationError:
    """A validation error of one field, as the framework would raise it."""
    return RequestValidationError([{"loc": (field,), "msg": message}])


def components() -> dict[str, Any]:
    """`Problem` and what it holds as components of an OpenAPI document."""
    template = "#/components/schemas/{model}"
    _, schemas = models_json_schema([(Problem, "serialization")], ref_template=template)
    definitions: dict[str, Any] = schemas["$defs"]
    return definitions
