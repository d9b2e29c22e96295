"""What a report must be to be read and replayed: anybody can sign anything."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from indexer.custody import Head
from indexer.errors import UsageError

FORMAT: Final = "lineup-report/1"
REPORT: Final = "report.json"


class _Part(BaseModel):
    model_config = ConfigDict(strict=True)


class _Made(_Part):
    audit_head: str


class _Query(_Part):
    name: str
    member: str


class _Answer(_Part):
    generation: Annotated[int, Field(ge=0)]


class _Search(_Part):
    k: Annotated[int, Field(ge=1)]
    where: str | None
    risk: Annotated[float, Field(gt=0, lt=1)]
    answer: _Answer


class _Gallery(_Part):
    index: str


class _Report(_Part):
    format: Literal["lineup-report/1"]
    made: _Made
    query: _Query
    search: _Search
    hits: list[Any]
    gallery: _Gallery


def read_report(members: Mapping[str, bytes]) -> dict[str, Any]:
    """The report among the members of a package. Raises UsageError where it is none."""
    try:
        report: dict[str, Any] = json.loads(members.get(REPORT, b"{}"))
        _Report.model_validate(report)
    except ValidationError as error:
        wrong = error.errors()[0]
        place = ".".join(map(str, wrong["loc"]))
        raise UsageError(f"{REPORT}: {place}: {wrong['msg']}", expected=FORMAT) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{REPORT} is no JSON", expected=FORMAT) from error
    Head.parse(report["made"]["audit_head"])
    if report["query"]["member"] not in members:
        raise UsageError(f"{REPORT} names an image that is missing", expected=FORMAT)
    return report
