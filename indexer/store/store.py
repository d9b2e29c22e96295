"""The truth of an index: one database, read as of any generation."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final, Self
from uuid import uuid4

import numpy as np
from sqlalchemy import Connection, inspect, select

from indexer.custody import Entry, genesis
from indexer.errors import NotFound
from indexer.filters import Filter
from indexer.store.audit import AuditTrail, append, begin
from indexer.store.changes import came, fit_at, relabelled, went
from indexer.store.check import problems
from indexer.store.claims import Claims
from indexer.store.copying import copy_rows, row_count
from indexer.store.database import Database, damaged, database_at, held
from indexer.store.family_reads import FamilyReads
from indexer.store.keys import live_keys
from indexer.store.matches import match, matches
from indexer.store.migrating import absent_at, check_schema, migrate
from indexer.store.overview import counted, history
from indexer.store.patches import read_patches
from indexer.store.records import (
    ApiKey,
    Columns,
    Counts,
    Fit,
    Generation,
    Match,
    Reject,
    StoredImage,
)
from indexer.store.rows import (
    columns_of,
    filterable,
    latest_generation,
    live_id,
    rows_by_id,
    stored_images,
)
from indexer.store.schema import (
    REVISION,
    generations,
    images,
    locations,
    rejects,
    shards,
    store,
    taps,
    thumbnails,
)
from indexer.store.sql import chunks, compiled, live
from indexer.store.transaction import Transaction
from indexer.types import Float16, Int64, Passport, Patches, Shard


class Store:
    """Images, taps, labels, rejects and generations, in one transactional database.

    Reads take `generation` (None: the latest) and answer as that generation saw it, from
    one snapshot, in parallel from any thread; `families` are the reads of those. `commit` is
    the only door for writing, and `audit` tells what went through it.
    """

    def __init__(
        self, database: Database, identity: str, passport: Passport, reference: Mapping[str, Any]
    ) -> None:
        self._database, self._engine = database, database.engine
        self._order = threading.RLock()
        self.identity: Final = identity
        self.passport: Final = passport
        self.reference: Final = reference
        self.families: Final = FamilyReads(self._reading)
        self.audit: Final = AuditTrail(database, self._genesis())

    @classmethod
    def create(
        cls,
        place: Path | str,
        passport: Passport,
        reference: Mapping[str, Any] | None = None,
        author: str = "indexer",
    ) -> Self:
        """Make an empty store at a path (SQLite) or in an empty database, by its URL
        (`postgresql+psycopg://...`). Raises UsageError if there is anything already.

        `reference` (JSON values) says how the checkpoint of the passport is found and named.
        A file that a killed `create` left behind holds no table and counts as nothing.
        """
        database = database_at(place)
        with database.creating() as connection:
            migrate(connection)
            identity = uuid4().hex
            row = {
                "id": 1,
                "identity": identity,
                "passport": passport.to_json(),
                "reference": dict(reference or {}),
            }
            connection.execute(store.insert(), row)
            made = cls(database, identity, passport, reference or {})
            details = {"passport": passport.digest, "schema": REVISION}
            begin(connection, made.audit.genesis, Entry("create", author, details))
        return made

    @classmethod
    def open(cls, place: Path | str) -> Self:
        """Open a store. Raises NotFound where there is none, IndexUnreachable where the server
        does not answer, LineupError on a truth of an earlier release, and IndexDamaged on one
        that is damaged, foreign or of a later release."""
        database = database_at(place)
        if not database.is_there():
            raise absent_at(database.place)
        with database.engine.connect() as connection:
            check_schema(connection, database.place)
            row = connection.execute(select(store)).one_or_none()
        if row is None:
            raise damaged(f"{database.place} has no passport")
        return cls(database, row.identity, Passport.from_json(row.passport), row.reference)

    @staticmethod
    def exists(place: Path | str) -> bool:
        """Whether there is anything to open. Raises IndexUnreachable, IndexDamaged."""
        database = database_at(place)
        if not database.is_there():
            return False
        try:
            with database.engine.connect() as connection:
                return bool(inspect(connection).get_table_names())
        finally:
            database.engine.dispose()

    def copy(
        self,
        place: Path | str,
        reference: Mapping[str, Any],
        author: str,
        on_progress: Callable[[int], object],
    ) -> Self:
        """The same truth at another place, whatever its engine: every generation, decision and
        row of the audit chain as it is now, and one row more that tells of the copy.

        It is there whole, compared with its origin table by table, or not at all. `reference`
        takes the place of this one's and may differ in where vectors are only, since the chain
        follows from the rest; `on_progress` is told how many `rows` are done. Raises UsageError
        where there is anything at `place`, IndexDamaged where the copy is not what was copied.
        """
        database = database_at(place)
        row = {"id": 1, "reference": dict(reference)}
        with self._engine.begin() as source, database.creating() as target:
            migrate(target)
            told = copy_rows(
                source,
                target,
                lambda table, values: values | row if table is store else values,
                on_progress,
            )
            append(target, [Entry("copy", author, {"copied": told})])
        return type(self)(database, self.identity, self.passport, reference)

    @property
    def rows(self) -> int:
        """The rows of all tables."""
        with self._engine.begin() as connection:
            return row_count(connection)

    def close(self) -> None:
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def commit(self, kind: str, author: str) -> Iterator[Transaction]:
        """One transaction, which is one new generation when anything is written in it.

        Nothing is visible unless the block ends without an exception; then it is durable, with
        a row of the audit chain that tells of it. Commits of other processes and threads wait
        for this one.
        """
        with self.undisturbed(), self._database.writing() as connection:
            txn = Transaction(connection, self.passport, kind, author)
            yield txn
            txn.seal()

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Let no other thread commit a generation meanwhile, so that what takes long to work out
        need not be worked out inside the commit, where searches wait to be recorded."""
        with held(self._order):
            yield

    @property
    def generation(self) -> int:
        """The latest committed generation, 0 when there is none."""
        with self._engine.connect() as connection:
            return latest_generation(connection)

    def committed_at(self, generation: int) -> str:
        """When a generation was committed: ISO 8601, UTC; "" for generation 0."""
        with self._engine.connect() as connection:
            query = select(generations.c.at).where(generations.c.number == generation)
            return connection.scalar(query) or ""

    def known(self, sha256s: Sequence[str], generation: int | None = None) -> set[str]:
        """Those of `sha256s` that are there."""
        with self._reading(generation) as (connection, at):
            found = (
                connection.scalars(
                    select(images.c.sha256).where(images.c.sha256.in_(chunk), live(images, at))
                )
                for chunk in chunks(list(sha256s))
            )
            return {sha256 for part in found for sha256 in part}

    def image(self, sha256: str, generation: int | None = None) -> StoredImage:
        """The image with this content. Raises NotFound."""
        with self._reading(generation) as (connection, at):
            return stored_images(connection, [live_id(connection, sha256, at)], at)[0]

    def images(
        self, ids: Sequence[int] | Int64, generation: int | None = None
    ) -> list[StoredImage]:
        """The images with these ids, in the given order. Raises NotFound."""
        with self._reading(generation) as (connection, at):
            return stored_images(connection, [int(id_) for id_ in ids], at)

    def match(self, sha256: str, generation: int | None = None) -> Match:
        """What a search tells of the image with this content. Raises NotFound."""
        with self._engine.connect() as connection:
            return match(connection, sha256, _at(generation, latest_generation(connection)))

    def matches(self, ids: Int64, generation: int) -> list[Match]:
        """What a search tells of these images, in the given order. Raises NotFound."""
        with self._engine.connect() as connection:
            return matches(connection, ids.tolist(), generation)

    def ids(
        self,
        where: Filter | None = None,
        generation: int | None = None,
        among: Int64 | None = None,
    ) -> Int64:
        """Ids, ascending, of the images that are there and pass the filter: (n,) int64; of
        those `among` ascending ids where these are given."""
        with self._reading(generation) as (connection, at):
            query = select(images.c.id).where(live(images, at)).order_by(images.c.id)
            if where is not None:
                query = query.where(compiled(where, at))
            if among is None:
                return np.array(connection.scalars(query).all(), dtype=np.int64)
            found = (
                connection.scalars(query.where(images.c.id.in_(chunk)))
                for chunk in chunks(among.tolist())
            )
            return np.array([id_ for part in found for id_ in part], dtype=np.int64)

    def taps(self, ids: Sequence[int] | Int64) -> Float16:
        """Taps of these images, in the given order: (n, taps, dim) float16. Raises NotFound."""
        shape = (len(self.passport.taps), self.passport.dim)
        result = np.empty((len(ids), *shape), dtype=np.float16)
        with self._engine.connect() as connection:
            for start, rows in rows_by_id(connection, select(taps.c.image_id, taps.c.data), ids):
                for offset, row in enumerate(rows):
                    result[start + offset] = np.frombuffer(row.data, "<f2").reshape(shape)
        return result

    def patches(self, ids: Sequence[int] | Int64) -> dict[int, Patches]:
        """The kept patches of those of these images that have any, by id."""
        with self._engine.connect() as connection:
            return read_patches(connection, [int(id_) for id_ in ids], self.passport.dim)

    def columns(
        self, ids: Sequence[int] | Int64, generation: int | None = None, *, said: bool = False
    ) -> Columns:
        """What is known of these images, column by column in the given order.

        With `said` only families that rest on somebody's word count, none that clustering
        found: what fits and evaluations may learn from. Raises NotFound.
        """
        with self._reading(generation) as (connection, at):
            return columns_of(connection, ids, at, said=said)

    def filterable(
        self, ids: Sequence[int] | Int64, generation: int | None = None
    ) -> list[dict[str, Any]]:
        """What filters read of these images, metadata and sha256 apart, in the given order.
        Raises NotFound."""
        with self._reading(generation) as (connection, at):
            return filterable(connection, ids, at)

    def thumbnail(self, sha256: str, generation: int | None = None) -> bytes | None:
        """The encoded thumbnail, None if none was made. Raises NotFound."""
        with self._reading(generation) as (connection, at):
            image_id = live_id(connection, sha256, at)
            data: bytes | None = connection.scalar(
                select(thumbnails.c.data).where(thumbnails.c.image_id == image_id)
            )
            return data

    def rejects(self, generation: int | None = None) -> list[Reject]:
        """Inputs that could not be used and have not succeeded since, oldest first."""
        with self._reading(generation) as (connection, at):
            rows = connection.execute(
                select(rejects).where(live(rejects, at)).order_by(rejects.c.id)
            )
            return [Reject(r.uri, r.reason, r.detail, r.sha256, r.added_gen) for r in rows]

    def claims(self) -> AbstractContextManager[Claims]:
        """Claims of work on this index, for builds that share it; in a file everything is free."""
        return self._database.claims(self.identity)

    def dealt_with(self, uris: Sequence[str], since: int) -> set[str]:
        """Those of `uris` that were added, located or rejected after the generation `since`."""
        with self._engine.begin() as connection:
            return {
                uri
                for table in (locations, rejects)
                for chunk in chunks(uris)
                for uri in connection.scalars(
                    select(table.c.uri).where(table.c.uri.in_(chunk), table.c.added_gen > since)
                )
            }

    def shards(self) -> list[Shard]:
        """Files of many inputs that were read to their end and need not be read again."""
        query = select(shards.c.uri, shards.c.version).where(shards.c.removed_gen.is_(None))
        with self._engine.connect() as connection:
            return [Shard(*row) for row in connection.execute(query)]

    def fit_at(self, generation: int) -> Fit | None:
        """The fit that applies at `generation`; None before the first one."""
        with self._engine.connect() as connection:
            return fit_at(connection, generation)

    def changes(self, after: int, until: int) -> tuple[Int64, Int64]:
        """Ids, ascending, that came and that went between two generations, after <= until.

        An image that came and went in between is in neither.
        """
        with self._engine.connect() as connection:
            return came(connection, after, until), went(connection, after, until)

    def relabelled(self, after: int, until: int) -> Int64:
        """Ids, ascending, of the images that are there at `until` and of which something else
        is said than at `after`, after <= until."""
        with self._engine.connect() as connection:
            return relabelled(connection, after, until)

    def generations(self) -> list[Generation]:
        """Every commit, oldest first."""
        with self._engine.begin() as connection:
            return history(connection)

    def counts(self, generation: int | None = None) -> Counts:
        """How much there is."""
        with self._reading(generation) as (connection, at):
            return counted(connection, at)

    def api_keys(self) -> list[ApiKey]:
        """The keys of the service that have not been revoked, oldest first."""
        with self._engine.connect() as connection:
            return live_keys(connection)

    def check(self) -> list[str]:
        """Whatever contradicts itself in the file, one line each; empty when it is sound."""
        with self._engine.connect() as connection:
            return problems(connection, self.passport)

    def _genesis(self) -> str:
        return genesis(
            {
                "identity": self.identity,
                "passport": self.passport.to_json(),
                "reference": json.dumps(
                    # Where vectors are searched is no part of what the chain vouches for.
                    {key: said for key, said in self.reference.items() if key != "vectors"},
                    sort_keys=True,
                ),
            }
        )

    @contextmanager
    def _reading(self, generation: int | None) -> Iterator[tuple[Connection, int]]:
        """A snapshot and the generation to read it at. Raises NotFound."""
        with self._engine.begin() as connection:
            yield connection, _at(generation, latest_generation(connection))


def _at(generation: int | None, latest: int) -> int:
    """The generation to read at, None for the latest. Raises NotFound."""
    if generation is None:
        return latest
    if not 0 <= generation <= latest:
        raise NotFound(f"no generation {generation} in the index", expected=f"0 to {latest}")
    return generation
