"""An audit chain: rows of which each holds the hash of the one before it.

The hash of a row is the sha256 of its canonical JSON (RFC 8785), hash left out. A row holds
only text and whole numbers, for which sorted keys and no spaces are that form already. The
first row follows the genesis, a hash of what the chain belongs to, so that no chain can be
passed off as another's.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from indexer.errors import UsageError


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be recorded: `details` are JSON values, `generation` the one that was made
    or read, None where none was."""

    kind: str
    author: str
    details: Mapping[str, Any]
    generation: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the chain. `at` is UTC in ISO 8601, `details` JSON text, `previous` and `hash`
    64 hex digits each."""

    number: int
    at: str
    kind: str
    author: str
    generation: int | None
    details: str
    previous: str
    hash: str = ""

    @property
    def head(self) -> "Head":
        """How far a chain reaches that ends here."""
        return Head(self.number, self.hash)

    def digest(self) -> str:
        """What `hash` has to be."""
        fields = {name: getattr(self, name) for name in self.__slots__ if name != "hash"}
        return hashlib.sha256(_canonical(fields)).hexdigest()


@dataclass(frozen=True, slots=True)
class Head:
    """How far a chain reached: the number (0: no row) and hash of its last row.

    Whoever keeps a head outside can tell later that nothing up to it was changed or cut off.
    """

    number: int
    hash: str

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The head that was printed as `NUMBER:HASH`. Raises UsageError."""
        if not (found := re.fullmatch(r"(\d+):([0-9a-f]{64})", text)):
            raise UsageError(f"head {text!r}", expected="NUMBER:HASH, from `indexer audit`")
        return cls(int(found[1]), found[2])


def genesis(belongs_to: Mapping[str, str]) -> str:
    """The hash that the first row of a chain follows."""
    return hashlib.sha256(_canonical(belongs_to)).hexdigest()


def sealed(head: Head, at: str, entries: Sequence[Entry]) -> list[Row]:
    """The rows that continue a chain after `head`."""
    rows = []
    for number, entry in enumerate(entries, head.number + 1):
        row = Row(
            number=number,
            at=at,
            kind=entry.kind,
            author=entry.author,
            generation=entry.generation,
            details=_text(entry.details),
            previous=head.hash,
        )
        rows.append(replace(row, hash=row.digest()))
        head = rows[-1].head
    return rows


def faults(
    start: str, rows: Iterable[Row], head: Head | None = None, kept: Head | None = None
) -> Iterator[str]:
    """One line for each place where the chain from genesis `start` is not whole.

    `rows` in the order of their numbers. Whatever was edited, replaced, inserted, moved or
    removed is named, with one exception: rows that are gone from the end, or a chain that was
    written anew from some row on, show only against its `head` or one that was `kept` elsewhere.
    """
    last = Head(0, start)
    for row in rows:
        if row.number != last.number + 1:
            yield f"{_span(last.number + 1, row.number - 1)} removed"
        if row.hash != row.digest():
            yield f"row {row.number} was edited"
        elif row.number == last.number + 1 and row.previous != last.hash:
            yield _break(row.number)
        if kept is not None and row.number == kept.number and row.hash != kept.hash:
            yield f"row {row.number} is not the one that was noted: it or one before was replaced"
        last = row.head
    if head is not None:
        yield from _against(head, last)
    if kept is not None and kept.number > last.number:
        yield f"{_span(last.number + 1, kept.number)} removed, as the head that was noted says"


def _break(number: int) -> str:
    if number == 1:
        return "row 1 does not belong to this index: it or the identity of the index was replaced"
    return f"row {number} does not follow row {number - 1}: one of the two was replaced"


def _against(head: Head, last: Head) -> Iterator[str]:
    if last.number < head.number:
        yield f"{_span(last.number + 1, head.number)} removed from the end"
    elif last.number > head.number:
        yield f"{_span(head.number + 1, last.number)} added behind the recorded end"
    elif last.hash != head.hash:
        yield f"row {last.number} was replaced: the recorded end is another"


def _span(first: int, last: int) -> str:
    return f"row {first} was" if first == last else f"rows {first} to {last} were"


def _text(values: Mapping[str, Any]) -> str:
    return json.dumps(
        values, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def _canonical(values: Mapping[str, Any]) -> bytes:
    # A lone surrogate has no UTF-8; the store refuses it with its own error.
    return _text(values).encode(errors="surrogatepass")
