"""Collections of a Milvus server or of a milvus-lite file; the only module that imports pymilvus.

A collection holds for every image its id, its descriptor and what a filter may ask
(`indexer.vectors.milvus_filter`). It is written once, counted, and never changed.
"""

import logging
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import numpy as np

from indexer.errors import MissingExtra, UsageError, VectorsUnavailable
from indexer.types import Float32, Int64
from indexer.vectors.milvus_filter import TEXT_BYTES

HTTP: Final = "milvus+http"
FILE: Final = "milvus+file:"
FORMS: Final = "milvus+http://HOST:PORT[/DATABASE], milvus+https://..., or milvus+file:PATH.db"
MOST: Final = 16_384
"""Rows that one answer of Milvus may hold."""
NO_KEEPALIVE: Final = 2**31 - 1
"""Milliseconds. milvus-lite hangs up on a client that asks every ten seconds if it is alive."""
SECONDS: Final = 30.0
"""How long one question may take; loading and indexing may take longer."""
STALLED: Final = 600.0
"""An index that has got no further for so many seconds is given up."""
GONE: Final = (100, 101, 1600)
"""Milvus's codes for a collection that is not there or not loaded, and an alias of none."""


class CollectionGone(VectorsUnavailable):
    """A collection that is not there (any more) or not loaded, or an alias of none."""


def checked_url(url: str) -> str:
    """`url` with an absolute path. Raises UsageError unless it names a Milvus."""
    if url.startswith(FILE) and url.endswith(".db"):
        return FILE + str(Path(url.removeprefix(FILE)).expanduser().resolve())
    parts = urlsplit(url)
    if parts.scheme not in (HTTP, HTTP + "s") or not parts.hostname:
        raise UsageError(f"{url} as a place for vectors", expected=FORMS)
    if parts.username or parts.password:
        raise UsageError(
            f"a URL of {parts.hostname} that carries credentials",
            expected="none in it",
            do="set MILVUS_TOKEN in the environment",
        )
    return url


class Milvus:
    """A connection. The token is read from the environment, MILVUS_TOKEN. Thread-safe.

    Raises MissingExtra without pymilvus and, as every method, VectorsUnavailable where Milvus
    cannot be reached or refuses.
    """

    def __init__(self, url: str) -> None:
        self.url: Final = url
        os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")  # nothing forks; gRPC says so
        try:
            from pymilvus import MilvusClient
        except ImportError as error:
            raise MissingExtra("pymilvus", "milvus", f"vectors at {url}") from error
        if lite := url.startswith(FILE):
            _need_milvus_lite(url)
        # They print what the errors below say, with tracebacks.
        for name in ("pymilvus", "milvus_lite", "grpc._server"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        address = url.removeprefix(FILE) if lite else url.removeprefix("milvus+")
        with self._asking():
            self._client = MilvusClient(
                address,
                token=os.environ.get("MILVUS_TOKEN", ""),
                timeout=SECONDS,
                grpc_options={"grpc.keepalive_time_ms": NO_KEEPALIVE} if lite else {},
            )

    def holds(self, name: str, rows: int) -> bool:
        """Whether a collection is there, indexed and loaded, with exactly so many rows."""
        with self._asking():
            if not self._client.has_collection(name) or not self._client.list_indexes(name):
                return False
            self._indexed(name)
            self._client.load_collection(name)
            return self._count(name, "", "Strong") == rows

    def write(
        self, name: str, dim: int, fields: Mapping[str, type], rows: Iterable[list[dict[str, Any]]]
    ) -> None:
        """Put batches of rows into a collection, which is made where there is none. What is
        there already with the same id is replaced."""
        from pymilvus import DataType

        with self._asking():
            if not self._client.has_collection(name):
                schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
                schema.add_field("id", DataType.INT64, is_primary=True)
                schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dim)
                for field, kind in fields.items():
                    if kind is str:
                        schema.add_field(field, DataType.VARCHAR, max_length=TEXT_BYTES)
                    else:
                        number = DataType.BOOL if kind is bool else DataType.DOUBLE
                        schema.add_field(field, number)
                self._client.create_collection(name, schema=schema, consistency_level="Bounded")
            for batch in rows:
                self._client.upsert(name, batch)
            self._client.flush(name)

    def index(self, name: str, nlist: int) -> None:
        """Index a written collection, inverted lists of 8-bit codes or flat with no lists, and
        load it; returns when all of it is indexed."""
        kind = "IVF_SQ8" if nlist else "FLAT"
        with self._asking():
            parameters = self._client.prepare_index_params()
            parameters.add_index(
                "vector",
                index_name="vector",
                index_type=kind,
                metric_type="IP",
                params={"nlist": nlist} if nlist else {},
            )
            if not self._client.list_indexes(name):
                self._client.create_index(name, parameters)
            self._indexed(name)
            self._client.load_collection(name)

    def _indexed(self, name: str) -> None:
        """Wait. Until then Milvus answers from rows without an index, which measures nothing."""
        known, since = None, time.monotonic()
        while True:
            state = self._client.describe_index(name, "vector")
            if state["state"] == "Finished" and state["pending_index_rows"] == 0:
                return
            if (now := (state["indexed_rows"], state["pending_index_rows"])) != known:
                known, since = now, time.monotonic()
            elif time.monotonic() - since > STALLED:
                raise VectorsUnavailable(
                    f"{self.url} has indexed {now[0]} rows of {name}, {now[1]} are pending",
                    expected=f"progress within {STALLED:.0f} seconds",
                )
            time.sleep(0.2)

    def nearest(
        self, name: str, query: Float32, limit: int, nprobe: int, expression: str = ""
    ) -> Int64:
        """Ids of about the `limit` (at most MOST) nearest rows that `expression` keeps."""
        with self._asking():
            [found] = self._client.search(
                name,
                data=[query],
                limit=limit,
                filter=expression,
                search_params={"params": {"nprobe": nprobe} if nprobe else {}},
                output_fields=["id"],
                timeout=SECONDS,
            )
        return np.array([hit["id"] for hit in found], np.int64)

    def count(self, name: str, expression: str) -> int:
        """How many rows an expression keeps."""
        with self._asking():
            return self._count(name, expression, "Bounded")

    def matching(self, name: str, expression: str) -> Int64:
        """Ids of the rows, at most MOST, that an expression keeps."""
        with self._asking():
            found = self._client.query(
                name, filter=expression, limit=MOST, output_fields=["id"], timeout=SECONDS
            )
        return np.array([row["id"] for row in found], np.int64)

    def collections(self, prefix: str) -> list[str]:
        """Names of the collections that begin so."""
        with self._asking():
            return sorted(n for n in self._client.list_collections() if n.startswith(prefix))

    def drop(self, name: str) -> None:
        """Remove a collection; nothing happens where there is none."""
        with self._asking():
            self._client.drop_collection(name)

    def aliased(self, alias: str) -> str | None:
        """The collection that an alias names."""
        try:
            with self._asking():
                return str(self._client.describe_alias(alias)["collection_name"])
        except CollectionGone:
            return None

    def point(self, alias: str, name: str) -> None:
        """Have an alias name a collection from now on."""
        known = self.aliased(alias)
        with self._asking():
            (self._client.alter_alias if known else self._client.create_alias)(name, alias)

    def _count(self, name: str, expression: str, level: str) -> int:
        [row] = self._client.query(
            name,
            filter=expression,
            output_fields=["count(*)"],
            consistency_level=level,
            timeout=SECONDS,
        )
        return int(row["count(*)"])

    @contextmanager
    def _asking(self) -> Iterator[None]:
        from pymilvus import MilvusException

        try:
            yield
        except MilvusException as error:
            kind = CollectionGone if error.code in GONE else VectorsUnavailable
            raise kind(
                f"Milvus at {self.url}: {error.message or type(error).__name__}",
                do="one process at a time can hold a milvus-lite file"
                if self.url.startswith(FILE)
                else "see that it runs and that MILVUS_TOKEN is right",
            ) from error


def _need_milvus_lite(url: str) -> None:
    try:
        import milvus_lite  # noqa: F401 pymilvus loads it
    except ImportError as error:
        raise MissingExtra("milvus-lite", "milvus-lite", f"vectors at {url}") from error
