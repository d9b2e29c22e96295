"""Encodings as Parquet: what `indexer import` reads and `indexer export --encodings` writes.

A folder of `part-<n>.parquet`, one row per image, sorted by sha256, so that equal galleries give
equal files. The schema's metadata carry the passport and the reference to the checkpoint under
the key `lineup`. Columns: the fields of `ImageFacts`; `uris`; the annotation; `metadata` as JSON
text; `taps` float16 in C order, as the passport names them; `logits`, `score`, `thumbnail` and
`patch_codes`, `patch_scales`, `patch_boxes`, null where there are none.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from indexer.errors import NotFound, UsageError
from indexer.index.carried import Carried
from indexer.store import NewImage
from indexer.types import Annotation, ImageFacts, Passport, Patches

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

KEY: Final = b"lineup"
FORMAT: Final = 1
SHA256: Final = re.compile("[0-9a-f]{64}")
ROWS: Final = 4_096
"""Of one file."""
BATCH: Final = 64
"""Rows that are read at a time."""


@dataclass(frozen=True, slots=True)
class EncodingsFile:
    """Encodings that were found: where, how made, and how many."""

    parts: tuple[Path, ...]
    passport: Passport
    reference: dict[str, Any]
    images: int

    @classmethod
    def open(cls, path: str | Path) -> "EncodingsFile":
        """A file or a folder of parts. Raises NotFound, UsageError on anything else."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        root = Path(path)
        parts = tuple(sorted(root.glob("*.parquet"))) if root.is_dir() else (root,)
        if not parts or not parts[0].is_file():
            raise NotFound(f"no encodings at {root}", expected="a Parquet file or a folder of them")
        heads, images = set(), 0
        for part in parts:
            try:
                file = pq.ParquetFile(part)
            except (pa.ArrowException, OSError) as error:
                raise UsageError(f"{part}: {error}", expected="a Parquet file") from error
            heads.add((file.schema_arrow.metadata or {}).get(KEY, b""))
            images += file.metadata.num_rows
            if absent := [name for name in COLUMNS if name not in file.schema_arrow.names]:
                raise UsageError(
                    f"{part} has no column {', '.join(absent)}",
                    expected="encodings as `indexer export --encodings` writes them",
                )
        if len(heads) != 1 or heads == {b""}:
            raise UsageError(
                f"{root} does not say how it was encoded, or in several ways",
                expected=f"one passport under the key {KEY.decode()} in the schema's metadata",
            )
        return cls(parts, *_head(heads.pop(), root), images)

    def __iter__(self) -> Iterator[Carried]:
        """The images. Raises UsageError at what is damaged; those before it were good."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        for part in self.parts:
            try:
                yield from read_encodings(pq.ParquetFile(part), self.passport, str(part))
            except (pa.ArrowException, OSError) as error:
                raise UsageError(
                    f"{part}: {error}",
                    expected="a whole Parquet file",
                    do="import the other parts, and make this one again",
                ) from error


def write_encodings(
    images: Iterable[Carried], passport: Passport, reference: dict[str, Any], to: Path
) -> None:
    """Write parts into a folder that exists."""
    import pyarrow.parquet as pq

    schema = schema_of(passport, reference)
    rest = iter(images)
    batch = list(islice(rest, ROWS))
    for number in count():  # an empty gallery has one part, too, which says how to encode
        path = to / f"part-{number:05d}.parquet"
        pq.write_table(table_of(batch, schema), path, compression="zstd")
        batch = list(islice(rest, ROWS))
        if not batch:
            return


def schema_of(passport: Passport, reference: dict[str, Any]) -> "pa.Schema":
    """The columns, and in the metadata how the encodings were made."""
    import pyarrow as pa

    head = {"format": FORMAT, "passport": asdict(passport), "reference": reference}

    text = {"sha256", "format", "mode", "label", "family", "source", "captured_at", "metadata"}
    types = {
        **{name: pa.string() for name in text},
        **{name: pa.int64() for name in ("bytes", "width", "height", "orientation")},
        "animated": pa.bool_(),
        "uris": pa.list_(pa.string()),
        "score": pa.float64(),
        "taps": pa.list_(pa.float16(), len(passport.taps) * passport.dim),
        "thumbnail": pa.binary(),
        "patch_codes": pa.binary(),
        **{n: pa.list_(pa.float32()) for n in ("logits", "patch_scales", "patch_boxes")},
    }
    metadata = {KEY: json.dumps(head, sort_keys=True).encode()}
    return pa.schema([(name, types[name]) for name in COLUMNS], metadata)


def table_of(images: Iterable[Carried], schema: "pa.Schema") -> "pa.Table":
    """Images as rows."""
    import pyarrow as pa

    return pa.Table.from_pylist([_row(each) for each in images], schema=schema)


def read_encodings(file: "pq.ParquetFile", passport: Passport, shown: str) -> Iterator[Carried]:
    """The images of a file, `shown` naming it in errors. Raises UsageError."""
    for batch in file.iter_batches(batch_size=BATCH):
        numbers = {name: batch.column(name) for name in _NUMBERS}
        for at, row in enumerate(batch.drop_columns(list(_NUMBERS)).to_pylist()):
            arrays = {name: _array(column[at]) for name, column in numbers.items()}
            yield _carried({**row, **arrays}, passport, shown)


_FACTS = tuple(field.name for field in fields(ImageFacts))
_ANNOTATION = tuple(field.name for field in fields(Annotation))
COLUMNS: Final = (
    *_FACTS,
    "uris",
    *_ANNOTATION,
    *("metadata", "taps", "logits", "score", "thumbnail"),
    *("patch_codes", "patch_scales", "patch_boxes"),
)
_NUMBERS: Final = ("taps", "logits", "patch_scales", "patch_boxes")
"""Columns that are read as arrays: as Python's lists they take ten times as long."""


def _array(value: "pa.Scalar[Any]") -> NDArray[Any] | None:
    return value.values.to_numpy(zero_copy_only=False) if value.is_valid else None


def _row(each: Carried) -> dict[str, Any]:
    image, kept = each.image, each.image.patches
    return {
        **asdict(image.facts),
        **asdict(image.annotation),
        "uris": list(each.uris),
        "metadata": json.dumps(dict(image.metadata), sort_keys=True),
        "taps": image.taps.ravel(),
        "logits": image.logits,
        "score": image.score,
        "thumbnail": image.thumbnail,
        "patch_codes": None if kept is None else kept.codes.tobytes(),
        "patch_scales": None if kept is None else kept.scales,
        "patch_boxes": None if kept is None else kept.boxes.ravel(),
    }


def _head(text: bytes, root: Path) -> tuple[Passport, dict[str, Any]]:
    """The passport and the reference of a schema's metadata. Raises UsageError."""
    try:
        head = json.loads(text)
        if head["format"] != FORMAT:
            raise UsageError(f"{root} has format {head['format']}", expected=f"format {FORMAT}")
        passport = Passport.from_json(json.dumps(head["passport"]))
        return passport, dict(head["reference"])
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{root} does not say how it was encoded: {error!r}",
            expected=f"format, passport and reference as JSON under the key {KEY.decode()}",
        ) from error


def _carried(row: dict[str, Any], passport: Passport, part: str) -> Carried:
    """Raises UsageError on a row that no export wrote."""
    try:
        return _checked(row, passport, part)
    except (ValueError, TypeError) as error:
        raise UsageError(
            f"{part}: image {row['sha256']}: {error}",
            expected="a row as `indexer export --encodings` writes it",
        ) from error


def _checked(row: dict[str, Any], passport: Passport, part: str) -> Carried:
    if not SHA256.fullmatch(row["sha256"] or ""):
        raise UsageError(f"{part}: sha256 is {row['sha256']!r}", expected="64 hex digits")
    if row["label"] not in ("real", "fake", None):
        raise UsageError(f"{part}: label is {row['label']!r}", expected="real, fake or nothing")
    if not row["uris"]:
        raise UsageError(f"{part}: image {row['sha256']} has no uris", expected="at least one")
    shape = (len(passport.taps), passport.dim)
    if np.size(row["taps"]) != shape[0] * shape[1]:
        raise UsageError(
            f"{part}: image {row['sha256']} has {np.size(row['taps'])} values in taps",
            expected=f"{shape[0]} x {shape[1]}, as its passport says",
        )
    codes = row["patch_codes"]
    return Carried(
        NewImage(
            ImageFacts(**{name: row[name] for name in _FACTS}),
            row["uris"][0],
            Annotation(**{name: row[name] for name in _ANNOTATION}),
            json.loads(row["metadata"]),
            np.array(row["taps"], np.float16).reshape(shape),
            None if row["logits"] is None else np.array(row["logits"], np.float32),
            row["score"],
            row["thumbnail"],
            None
            if codes is None
            else Patches(
                np.frombuffer(codes, np.int8).reshape(-1, passport.dim),
                np.array(row["patch_scales"], np.float32),
                np.array(row["patch_boxes"], np.float32).reshape(-1, 4),
            ),
        ),
        tuple(row["uris"]),
    )
