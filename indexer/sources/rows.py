"""What a table or a sidecar says of an image: annotation and metadata."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from indexer.errors import UsageError
from indexer.types import Annotation

ANNOTATED = ("label", "family", "source", "captured_at")


def annotated(row: Mapping[str, Any], where: str) -> tuple[Annotation, dict[str, Any]]:
    """Annotation and metadata of one row, `where` naming it in errors.

    `label` ("real" or "fake"), `family`, `source` and `captured_at` are the annotation, all
    else is metadata. Families are of fakes: that of a real is dropped. Raises UsageError.
    """
    label = row.get("label")
    if label not in ("real", "fake", None):
        raise UsageError(f"{where}: label is {label!r}", expected="real, fake or nothing")
    known = {key: str(row[key]) for key in ANNOTATED if row.get(key) is not None}
    if label == "real":
        known.pop("family", None)
    return Annotation(**known), {key: row[key] for key in row if key not in ANNOTATED}


def plain(value: Any, where: str) -> Any:  # noqa: ANN401 a JSON value
    """The JSON value of a typed cell; dates and times as ISO 8601 text. Raises UsageError."""
    match value:
        case str() | bool() | int() | float() | None:
            return value
        case datetime() | date():
            return value.isoformat()
        case list():
            return [plain(each, where) for each in value]
        case dict():
            return {key: plain(each, where) for key, each in value.items()}
    raise UsageError(
        f"{where} is of type {type(value).__name__}",
        expected="text, numbers, truth values, dates, or lists and structs of these",
    )
