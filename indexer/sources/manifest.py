"""A table that names images and says what is known of them: CSV, TSV or Parquet."""

import csv
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from indexer.errors import UsageError
from indexer.sources.files import FileItem, FileSource, absolute
from indexer.types import Annotation

_ANNOTATION = ("label", "family", "source", "captured_at")


@dataclass(frozen=True, slots=True)
class _Table:
    """`rows` yields (where to find the row, column -> value); absent values are left out."""

    columns: list[str]
    rows: Iterator[tuple[str, dict[str, Any]]]


def read_manifest(path: Path) -> FileSource:
    """One item per row, in the manifest's order.

    Columns: `path` (required; relative to the manifest's folder), `label` ("real" or
    "fake"), `family`, `source`, `captured_at`, and any others, which become metadata: text
    from CSV and TSV, typed values from Parquet (dates and times as ISO 8601 text). Empty
    text, null and NaN are absent. Families are of fakes: that of a real is dropped.

    Raises UsageError, before any image is read, on a missing or repeated column, a row of
    the wrong width, an unknown label or text that is not UTF-8; rows are named.
    """
    table = READERS[path.suffix.lower()](path)
    if "path" not in table.columns:
        raise UsageError(
            f"{path} has the columns {', '.join(table.columns) or '(none)'}",
            expected="a column named path",
            do="rename the column that holds the image paths",
        )
    if len(set(table.columns)) < len(table.columns):
        raise UsageError(f"{path} repeats a column: {', '.join(table.columns)}")
    return FileSource(tuple(_item(path, where, row) for where, row in table.rows))


def _item(manifest: Path, where: str, row: Mapping[str, Any]) -> FileItem:
    name = row.get("path")
    if not isinstance(name, str) or "\0" in name:
        raise UsageError(f"{manifest}, {where}: path is {name!r}", expected="the path of an image")
    label = row.get("label")
    if label not in ("real", "fake", None):
        raise UsageError(
            f"{manifest}, {where}: label is {label!r}", expected="real, fake or nothing"
        )
    known = {key: str(row[key]) for key in _ANNOTATION if key in row}
    if label == "real":
        known.pop("family", None)
    metadata = {key: row[key] for key in row if key not in ("path", *_ANNOTATION)}
    return FileItem(absolute(name, manifest.parent), Annotation(**known), metadata)


def _read_csv(path: Path, delimiter: str = ",") -> _Table:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            lines = [(f"line {reader.line_num}", cells) for cells in reader if cells]
    except (csv.Error, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}", expected="a table in UTF-8") from error
    header = lines[0][1] if lines else []
    return _Table(header, _csv_rows(path, header, lines[1:]))


def _csv_rows(
    path: Path, header: list[str], lines: list[tuple[str, list[str]]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for where, cells in lines:
        if len(cells) != len(header):
            raise UsageError(f"{path}, {where}: {len(cells)} values", expected=f"{len(header)}")
        yield where, {key: cell for key, cell in zip(header, cells, strict=True) if cell}


def _read_tsv(path: Path) -> _Table:
    return _read_csv(path, delimiter="\t")


def _read_parquet(path: Path) -> _Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except pa.ArrowException as error:
        raise UsageError(f"{path} cannot be read: {error}", expected="a Parquet file") from error
    return _Table(table.column_names, _parquet_rows(path, table.to_pylist()))


def _parquet_rows(path: Path, rows: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, row in enumerate(rows, start=1):
        where = f"row {number}"
        present = {key: value for key, value in row.items() if not _absent(value)}
        yield (
            where,
            {key: _plain(value, f"{path}, {where}: {key}") for key, value in present.items()},
        )


def _absent(value: object) -> bool:
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def _plain(value: Any, where: str) -> Any:  # noqa: ANN401 a JSON value
    """The JSON value of a Parquet cell."""
    match value:
        case str() | bool() | int() | float() | None:
            return value
        case datetime() | date():
            return value.isoformat()
        case list():
            return [_plain(each, where) for each in value]
        case dict():
            return {key: _plain(each, where) for key, each in value.items()}
    raise UsageError(
        f"{where} is of type {type(value).__name__}",
        expected="text, numbers, truth values, dates, or lists and structs of these",
    )


READERS: Mapping[str, Callable[[Path], _Table]] = {
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".parquet": _read_parquet,
}
"""Suffix -> reader."""
