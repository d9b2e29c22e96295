"""Why the service did not do what it was asked to."""

from dataclasses import dataclass
from http import HTTPStatus

import httpx
from pydantic import TypeAdapter

PREFIX = "urn:lineup:problem:"
MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of the request."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Problem details (RFC 9457). `detail` tells in one line what was found, what was `expected`
    and what to `do`; `reason` is a stable slug for why an image was rejected."""

    type: str
    title: str
    status: int
    detail: str
    expected: str | None = None
    do: str | None = None
    reason: str | None = None
    errors: tuple[FieldError, ...] | None = None

    @property
    def code(self) -> str:
        """The stable last part of `type`, such as "not-found"; "about:blank" for an answer that
        did not come from the service but from something before it."""
        return self.type.removeprefix(PREFIX)

    @classmethod
    def of(cls, response: httpx.Response) -> "Problem":
        """What an answer that was read tells, whoever gave it."""
        if response.headers.get("content-type", "").startswith(MEDIA_TYPE):
            return _PROBLEM.validate_json(response.content)
        status = response.status_code
        title = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Unknown"
        return cls("about:blank", title, status, response.text[:200])


_PROBLEM = TypeAdapter(Problem)


class ProblemError(Exception):
    """The service answered with a problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.status} {problem.code}: {problem.detail}")
        self.problem = problem
