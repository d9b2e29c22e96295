"""What can be written, all of it inside one commit that makes one generation."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, Literal

import numpy as np
from sqlalchemy import ColumnElement, Connection, Table, func, insert, select, update

from indexer.custody import Entry
from indexer.errors import NotFound, UsageError
from indexer.filters import as_number, as_text
from indexer.store import families, family_schema, keys
from indexer.store.audit import append, now
from indexer.store.content import content_of
from indexer.store.database import database_of
from indexer.store.patches import check_patches, patch_row
from indexer.store.records import (
    ApiKey,
    Change,
    FamilyBuild,
    Found,
    Membership,
    NamedFamily,
    NewImage,
    Proposal,
)
from indexer.store.schema import (
    fits,
    generations,
    images,
    labels,
    locations,
    patches,
    rejects,
    shards,
    store,
    taps,
    terms,
    thumbnails,
)
from indexer.store.sql import ANNOTATED, FACTS, chunks
from indexer.types import Annotation, Passport, Shard

Origin = Literal["import", "analyst"]

TURN: Final = select(store.c.id).with_for_update()
"""Only one transaction at a time makes a generation; SQLite has but one that writes."""


class Transaction:
    """An open commit. The generation is made by the first write; without one there is none.

    `added` counts the images that were not there before. `note` says what the audit row shall
    tell besides; whatever is written, `seal` puts a row into the audit chain.
    """

    def __init__(self, connection: Connection, passport: Passport, kind: str, author: str) -> None:
        self._connection, self._database = connection, database_of(connection)
        self._passport = passport
        self._kind, self._author = kind, author
        connection.execute(TURN)
        latest = connection.scalar(select(func.max(generations.c.number)))
        self.generation: Final = (latest or 0) + 1
        self.added = 0
        self._begun = False
        self._notes: dict[str, Any] = {}

    def note(self, **details: object) -> None:
        """Say more in the audit row of this commit: JSON values, never an image.

        A commit that notes something has an audit row even when it makes no generation.
        """
        self._notes |= details

    def seal(self) -> None:
        """Record in the audit chain what this transaction has written, as its last act."""
        details, generation = self._notes, None
        if self._begun:
            details = self._notes | content_of(self._connection, self.generation)
            generation = self.generation
        if details:
            append(self._connection, [Entry(self._kind, self._author, details, generation)])

    def add(self, batch: Sequence[NewImage]) -> list[int]:
        """Add images; one whose sha256 is there already only gains a location.

        Returns the id of each, in order. Raises UsageError on taps or metadata that do not
        fit, before anything of the batch is written.
        """
        for image in batch:
            self._check(image)
        ids = self._live_ids(image.facts.sha256 for image in batch)
        new: dict[str, NewImage] = {}
        for image in batch:
            if image.facts.sha256 not in ids:
                new.setdefault(image.facts.sha256, image)
        if new:
            self._begin()
            self.added += len(new)
            keys = self._database.keys(self._connection, images, len(new))
            keyed = list(zip(keys, new.values(), strict=True))
            ids |= {image.facts.sha256: id_ for id_, image in keyed}
            self._insert(images, ({"id": i} | self._row(x) for i, x in keyed))
            self._insert(taps, ({"image_id": i, "data": _tap_bytes(x)} for i, x in keyed))
            self._insert(
                thumbnails,
                ({"image_id": i, "data": x.thumbnail} for i, x in keyed if x.thumbnail),
            )
            self._insert(patches, (patch_row(i, x.patches) for i, x in keyed if x.patches))
            self._insert(terms, (row for i, x in keyed for row in _terms(i, x.metadata)))
        self._locate((ids[image.facts.sha256], image.uri) for image in batch)
        return [ids[image.facts.sha256] for image in batch]

    def locate(self, sha256: str, uri: str) -> None:
        """Record that an image is also at `uri`. Raises NotFound."""
        self._locate([(self._live_id(sha256), uri)])

    def annotate(self, sha256: str, annotation: Annotation, origin: Origin = "import") -> None:
        """Say what is known of an image; None fields say nothing. Raises NotFound.

        An analyst outranks an import, and within an origin the latest wins. Saying again
        what that origin says already writes nothing.
        """
        said = self._said(sha256, origin)
        self._write(
            labels,
            [
                {"sha256": sha256, "field": field, "value": value, "origin": origin}
                for field in ANNOTATED
                if (value := getattr(annotation, field)) not in (None, said.get(field))
            ],
        )

    def reject(self, uri: str, reason: str, detail: str, sha256: str | None = None) -> None:
        """Record that `uri` could not be used; once per reason until it succeeds."""
        known = select(rejects.c.id).where(
            rejects.c.uri == uri, rejects.c.reason == reason, rejects.c.removed_gen.is_(None)
        )
        if self._connection.scalar(known) is None:
            row = {"uri": uri, "reason": reason, "detail": detail, "sha256": sha256}
            self._write(rejects, [row])

    def finish(self, shard: Shard) -> None:
        """Record that a shard was read to its end, in this version."""
        self._end(rejects, "uri", [shard.uri])
        self._end(shards, "uri", [shard.uri], shards.c.version != shard.version)
        known = select(shards.c.id).where(shards.c.uri == shard.uri, shards.c.removed_gen.is_(None))
        if self._connection.scalar(known) is None:
            self._write(shards, [{"uri": shard.uri, "version": shard.version}])

    def remove(self, sha256s: Iterable[str]) -> int:
        """Remove images, with what imports said of them; returns how many were there.

        Shards count as unread again, since the images may be in any of them.
        """
        ids = self._live_ids(sha256s)
        if ids:
            self._end(shards, "uri", self._connection.scalars(select(shards.c.uri)).all())
        self._end(images, "sha256", ids)
        self._end(labels, "sha256", ids, labels.c.origin == "import")
        return len(ids)

    def fit(self, fitted_on: int) -> None:
        """Record that from this generation on the projection fitted on that gallery applies."""
        self._begin()
        row = {"generation": self.generation, "fitted_on": fitted_on}
        self._connection.execute(insert(fits), row)

    def decide(self, action: Mapping[str, Any]) -> None:
        """Record a decision, which is this generation. What follows from it is written with
        `hold` and `say`."""
        self._begin()
        families.insert_decision(self._connection, action, self.generation)

    def find(
        self, covers: int, fit: int, rows: Iterable[Found], proposed: Iterable[Proposal]
    ) -> None:
        """Record a build of families on the gallery of `covers` with that fit's descriptors."""
        self._begin()
        build = FamilyBuild(self.generation, covers, fit)
        families.insert_build(self._connection, build, rows, proposed)

    def hold(
        self,
        members: Sequence[Membership],
        named: Sequence[NamedFamily],
        changes: Iterable[tuple[str, str | None, str | None, int]],
        among: Collection[str] | None = None,
    ) -> None:
        """Make these the memberships and families in force, by sha256 and by id; `changes`
        (kind, before, after, images) go into the lineage. Where `among` is given, `members` are
        those among these images (sha256), and all others stay as they are."""
        replacements = [
            families.replacement(
                self._connection, family_schema.memberships, "sha256", members, among
            ),
            families.replacement(self._connection, family_schema.families, "family", named),
        ]
        if any(replacements):
            self._begin()
            at = self.generation
            for replacement in replacements:
                families.replace_rows(self._connection, replacement, at)
            families.insert_lineage(self._connection, [Change(at, *change) for change in changes])

    def say(self, words: families.Said) -> None:
        """Make `words`, (sha256, field) -> value, what analysts say; None: they say nothing."""
        if words := families.news(self._connection, words):
            self._begin()
            families.replace_words(self._connection, words, self.generation)

    def add_key(self, key: ApiKey) -> None:
        """Let a key in. Raises UsageError when its name is taken."""
        keys.refuse_taken(self._connection, key.name)
        self._begin()
        keys.insert_key(self._connection, key, self.generation)

    def revoke_key(self, name: str) -> None:
        """End the key of this name. Raises NotFound."""
        keys.require_live(self._connection, name)
        self._begin()
        keys.end_key(self._connection, name, self.generation)

    def _check(self, image: NewImage) -> None:
        expected = (len(self._passport.taps), self._passport.dim)
        if image.taps.shape != expected or image.taps.dtype != np.float16:
            raise UsageError(
                f"taps {image.taps.shape} {image.taps.dtype} of {image.uri}",
                expected=f"{expected} float16, as the passport of the index says",
            )
        if not np.isfinite(image.taps).all():
            raise UsageError(f"taps of {image.uri} hold NaN or infinity", expected="finite taps")
        if image.patches is not None:
            check_patches(image.patches, self._passport, image.uri)
        try:
            json.dumps(dict(image.metadata), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise UsageError(f"metadata of {image.uri}: {error}", expected="JSON values") from error

    def _row(self, image: NewImage) -> dict[str, Any]:
        logits = None if image.logits is None else np.asarray(image.logits, "<f4").tobytes()
        return {
            **{name: getattr(image.facts, name) for name in FACTS},
            **{field: getattr(image.annotation, field) for field in ANNOTATED},
            "metadata": dict(image.metadata),
            "score": image.score,
            "logits": logits,
            "added_gen": self.generation,
        }

    def _live_ids(self, sha256s: Iterable[str]) -> dict[str, int]:
        """sha256 -> id of those that are there now."""
        found: dict[str, int] = {}
        for chunk in chunks(sorted(set(sha256s))):
            rows = self._connection.execute(
                select(images.c.sha256, images.c.id).where(
                    images.c.sha256.in_(chunk), images.c.removed_gen.is_(None)
                )
            )
            found |= {row.sha256: row.id for row in rows}
        return found

    def _live_id(self, sha256: str) -> int:
        found = self._live_ids([sha256])
        if not found:
            raise NotFound(f"no image {sha256} in the index")
        return found[sha256]

    def _locate(self, places: Iterable[tuple[int, str]]) -> None:
        """Record (image id, uri) pairs that are new; a uri that succeeds is no reject."""
        wanted = list(dict.fromkeys(places))
        self._end(rejects, "uri", [uri for _, uri in wanted])
        known: set[tuple[int, str]] = set()
        for chunk in chunks([image_id for image_id, _ in wanted]):
            query = select(locations.c.image_id, locations.c.uri)
            known |= {
                (row.image_id, row.uri)
                for row in self._connection.execute(query.where(locations.c.image_id.in_(chunk)))
            }
        self._write(
            locations,
            [{"image_id": i, "uri": uri} for i, uri in wanted if (i, uri) not in known],
        )

    def _said(self, sha256: str, origin: Origin) -> dict[str, str]:
        """What `origin` says now; what the image came with is an import's word."""
        came_with = self._connection.execute(
            select(*(images.c[field] for field in ANNOTATED)).where(
                images.c.id == self._live_id(sha256)
            )
        ).one()
        rows = self._connection.execute(
            select(labels.c.field, labels.c.value)
            .where(
                labels.c.sha256 == sha256,
                labels.c.origin == origin,
                labels.c.removed_gen.is_(None),
            )
            .order_by(labels.c.id)
        )
        said = dict(zip(ANNOTATED, came_with, strict=True)) if origin == "import" else {}
        return said | {row.field: row.value for row in rows}

    def _end(
        self, table: Table, column: str, values: Iterable[str], *also: ColumnElement[bool]
    ) -> None:
        """Set `removed_gen` on the live rows whose `column` is among `values`."""
        for chunk in chunks(list(values)):
            ending = [table.c[column].in_(chunk), table.c.removed_gen.is_(None), *also]
            if self._connection.scalar(select(table.c.id).where(*ending).limit(1)) is not None:
                self._begin()
                self._connection.execute(
                    update(table).where(*ending).values(removed_gen=self.generation)
                )

    def _write(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows that carry their generation."""
        if rows:
            self._begin()
            self._insert(table, ({**row, "added_gen": self.generation} for row in rows))

    def _insert(self, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
        self._database.insert(self._connection, table, rows)

    def _begin(self) -> None:
        if not self._begun:
            row = {
                "number": self.generation,
                "at": now(),
                "kind": self._kind,
                "author": self._author,
            }
            self._connection.execute(insert(generations), row)
            self._begun = True


def _tap_bytes(image: NewImage) -> bytes:
    return image.taps.astype("<f2").tobytes()


def _terms(image_id: int, metadata: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"image_id": image_id, "key": key, "text": text, "number": as_number(value)}
        for key, value in metadata.items()
        if (text := as_text(value)) is not None
    ]
