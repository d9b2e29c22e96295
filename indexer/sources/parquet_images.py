"""Parquet with the images inside, as Hugging Face datasets keep them."""

import json
from collections.abc import Iterator, Mapping
from typing import IO, Any

from indexer.errors import ImageRejected, UsageError
from indexer.sources.items import HeldItem
from indexer.sources.rows import annotated, plain

IMAGE = "image"
"""The column: bytes, or a struct of `bytes` and `path`."""
ROWS = 16
"""Rows that are in memory at a time."""


def read_parquet_images(file: IO[bytes], url: str) -> Iterator[HeldItem]:
    """One item per row, streamed; other columns are what is known of it, as in a manifest.

    Numbers of a Hugging Face ClassLabel become its names, in lower case in the column
    `label`. Raises UsageError on other columns or values, OSError on a damaged file.
    """
    import pyarrow as pa

    try:
        for number, (row, classes) in enumerate(_rows(file, url)):
            yield _item(row, classes, f"{url}#row={number}")
    except pa.ArrowException as error:
        raise OSError(str(error)) from error


def _rows(file: IO[bytes], url: str) -> Iterator[tuple[dict[str, Any], dict[str, list[str]]]]:
    import pyarrow.parquet as pq

    table = pq.ParquetFile(file)
    if IMAGE not in table.schema_arrow.names:
        raise UsageError(
            f"{url} has the columns {', '.join(table.schema_arrow.names)}",
            expected=f"a column named {IMAGE} with bytes",
        )
    classes = _classes(table.schema_arrow.metadata)
    for batch in table.iter_batches(batch_size=ROWS):
        yield from ((row, classes) for row in batch.to_pylist())


def holds_images(file: IO[bytes]) -> bool:
    """Whether a Parquet file has images inside rather than paths; not, when it is damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        names = pq.read_schema(file).names
    except pa.ArrowException:
        return False
    return IMAGE in names and "path" not in names


def _item(row: Mapping[str, Any], classes: Mapping[str, list[str]], uri: str) -> HeldItem:
    image = row[IMAGE]
    inner = image if isinstance(image, dict) else {"bytes": image}
    content = inner.get("bytes")
    known = {
        key: classes[key][value] if key in classes and value >= 0 else value
        for key, value in row.items()
        if key != IMAGE and value is not None
    }
    if "label" in classes and "label" in known:
        known["label"] = known["label"].lower()
    if inner.get("path"):
        known.setdefault("name", inner["path"])
    annotation, metadata = annotated(
        {key: plain(value, f"{uri}: {key}") for key, value in known.items()}, uri
    )
    if not isinstance(content, bytes):
        content = ImageRejected("missing", f"{uri} holds no bytes", expected="the image itself")
    return HeldItem(uri, content, annotation, metadata)


def _classes(metadata: Mapping[bytes, bytes] | None) -> dict[str, list[str]]:
    """Column -> names of its numbers, from what Hugging Face datasets write into the file."""
    described = json.loads((metadata or {}).get(b"huggingface", b"{}"))
    features = described.get("info", {}).get("features", {})
    return {
        name: feature["names"]
        for name, feature in features.items()
        if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
    }
