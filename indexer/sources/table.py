"""A table that names images and says what is known of them: CSV, TSV or Parquet."""

import csv
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.errors import UsageError
from indexer.sources.rows import annotated, plain
from indexer.types import Annotation


@dataclass(frozen=True, slots=True)
class _Table:
    """`rows` yields (where to find the row, column -> value); absent values are left out."""

    columns: list[str]
    rows: Iterator[tuple[str, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a manifest: an image by its `name`, relative to the manifest, and what is
    known of it."""

    name: str
    annotation: Annotation
    metadata: Mapping[str, Any]


def manifest_rows(path: Path, shown: str) -> Iterator[Row]:
    """The rows of a manifest in their order; `shown` is what errors call it.

    Columns: `path` (required; relative to the manifest's folder), `label` ("real" or
    "fake"), `family`, `source`, `captured_at`, and any others, which become metadata: text
    from CSV and TSV, typed values from Parquet (dates and times as ISO 8601 text). Empty
    text, null and NaN are absent. Families are of fakes: that of a real is dropped.

    Raises UsageError on a missing or repeated column, a row of the wrong width, an unknown
    label or text that is not UTF-8; rows are named.
    """
    table = READERS[path.suffix.lower()](path, shown)
    if "path" not in table.columns:
        raise UsageError(
            f"{shown} has the columns {', '.join(table.columns) or '(none)'}",
            expected="a column named path",
            do="rename the column that holds the image paths",
        )
    if len(set(table.columns)) < len(table.columns):
        raise UsageError(f"{shown} repeats a column: {', '.join(table.columns)}")
    return (_row(f"{shown}, {where}", row) for where, row in table.rows)


def _row(where: str, row: Mapping[str, Any]) -> Row:
    name = row.get("path")
    if not isinstance(name, str) or "\0" in name:
        raise UsageError(f"{where}: path is {name!r}", expected="the path of an image")
    return Row(name, *annotated({key: row[key] for key in row if key != "path"}, where))


def _read_csv(path: Path, shown: str, delimiter: str = ",") -> _Table:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            lines = [(f"line {reader.line_num}", cells) for cells in reader if cells]
    except (csv.Error, UnicodeDecodeError) as error:
        raise UsageError(f"{shown} cannot be read: {error}", expected="a table in UTF-8") from error
    header = lines[0][1] if lines else []
    return _Table(header, _csv_rows(shown, header, lines[1:]))


def _csv_rows(
    shown: str, header: list[str], lines: list[tuple[str, list[str]]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for where, cells in lines:
        if len(cells) != len(header):
            raise UsageError(f"{shown}, {where}: {len(cells)} values", expected=f"{len(header)}")
        yield where, {key: cell for key, cell in zip(header, cells, strict=True) if cell}


def _read_tsv(path: Path, shown: str) -> _Table:
    return _read_csv(path, shown, delimiter="\t")


def _read_parquet(path: Path, shown: str) -> _Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except pa.ArrowException as error:
        raise UsageError(f"{shown} cannot be read: {error}", expected="a Parquet file") from error
    return _Table(table.column_names, _parquet_rows(shown, table.to_pylist()))


def _parquet_rows(shown: str, rows: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, row in enumerate(rows, start=1):
        where = f"row {number}"
        present = {key: value for key, value in row.items() if not _absent(value)}
        yield (
            where,
            {key: plain(value, f"{shown}, {where}: {key}") for key, value in present.items()},
        )


def _absent(value: object) -> bool:
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


READERS: Mapping[str, Callable[[Path, str], _Table]] = {
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".parquet": _read_parquet,
}
"""Suffix -> reader."""
