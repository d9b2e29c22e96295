"""What became of one part of the inputs, as a file: how a worker hands over what it encoded.

Parquet as `indexer.index.encodings_file` has it, one row for each new image, so that `indexer
import` reads it, too; what became of the other inputs is JSON in the footer.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import islice
from typing import IO, Any, Final

from indexer.errors import ImageRejected
from indexer.index.carried import Carried
from indexer.index.encodings_file import BATCH, read_encodings, schema_of, table_of
from indexer.index.pipeline import Known, Outcome, Rejected
from indexer.store import NewImage
from indexer.types import Annotation, Passport, Shard

OTHERS: Final = b"lineup.others"


def write_part(
    outcomes: Iterable[Outcome], file: IO[bytes], passport: Passport, reference: dict[str, Any]
) -> None:
    """Write what becomes of the inputs while they are encoded; few are in memory at a time."""
    import pyarrow.parquet as pq

    others: list[dict[str, Any]] = []

    def images() -> Iterator[Carried]:
        for outcome in outcomes:
            if isinstance(outcome, NewImage):
                yield Carried(outcome, (outcome.uri,))
            else:
                others.append(_plain(outcome))

    schema, rest = schema_of(passport, reference), images()
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        while batch := list(islice(rest, BATCH)):
            writer.write_table(table_of(batch, schema))
        writer.add_key_value_metadata({OTHERS: json.dumps(others)})


def read_part(file: IO[bytes], passport: Passport, shown: str) -> Iterator[Outcome]:
    """What was written: first the images, then the others in their order.

    Raises OSError on a file that is damaged; `shown` names it in errors."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(file)
        for each in read_encodings(table, passport, shown):
            yield each.image
    except pa.ArrowException as error:
        raise OSError(f"{shown}: {error}") from error
    yield from map(_outcome, json.loads(table.metadata.metadata[OTHERS]))


def _plain(outcome: Known | Rejected | Shard) -> dict[str, Any]:
    if not isinstance(outcome, Rejected):
        return {type(outcome).__name__: asdict(outcome)}
    error = outcome.error
    said = {name: getattr(error, name) for name in ("reason", "found", "expected", "do")}
    return {"Rejected": {"uri": outcome.uri, **said}}


def _outcome(plain: dict[str, Any]) -> Known | Rejected | Shard:
    [(kind, values)] = plain.items()
    match kind:
        case "Known":
            annotation = Annotation(**values.pop("annotation"))
            return Known(annotation=annotation, **values)
        case "Shard":
            return Shard(**values)
    return Rejected(values.pop("uri"), ImageRejected(**values))
