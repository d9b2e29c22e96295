"""The chain's own laws, on values."""

import hashlib
from dataclasses import asdict, replace

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from indexer.custody import Entry, Head, Row, faults, genesis, sealed
from indexer.errors import UsageError

START = genesis({"identity": "x"})
ROWS = [
    row
    for batch in (["create"], ["query", "query", "build"], ["fit", "query"])
    for row in [Entry(kind, "ann", {"k": 1}, 3) for kind in batch]
]
CHAIN = sealed(Head(0, START), "2026-01-01T00:00:00.000+00:00", ROWS)
END = CHAIN[-1].head
OTHER = {"at": "2025", "kind": "nothing", "author": "bob", "details": "{}", "generation": None}


def rehashed(row: Row) -> Row:
    return replace(row, hash=row.digest())


def test_a_whole_chain_has_no_faults() -> None:
    assert list(faults(START, CHAIN, END, END)) == []
    assert list(faults(START, CHAIN, END, CHAIN[2].head)) == []
    assert [row.previous for row in CHAIN] == [START, *(row.hash for row in CHAIN[:-1])]
    two = sealed(Head(0, START), CHAIN[0].at, ROWS[:4])
    assert two + sealed(two[-1].head, CHAIN[0].at, ROWS[4:]) == CHAIN


@pytest.mark.parametrize("field", OTHER)
@pytest.mark.parametrize("place", range(6))
def test_an_edited_row_is_named(place: int, field: str) -> None:
    edited = [*CHAIN]
    edited[place] = replace(CHAIN[place], **{field: OTHER[field]})
    assert list(faults(START, edited, END)) == [f"row {place + 1} was edited"]


@pytest.mark.parametrize("place", range(6))
def test_a_row_edited_with_its_hash_is_named_by_what_follows(place: int) -> None:
    edited = [*CHAIN]
    edited[place] = rehashed(replace(CHAIN[place], author="bob"))
    (fault,) = faults(START, edited, END)
    named = {
        5: "row 6 was replaced: the recorded end is another",
    }.get(place, f"row {place + 2} does not follow row {place + 1}: one of the two was replaced")
    assert fault == named


@pytest.mark.parametrize("place", range(6))
def test_a_removed_row_is_named(place: int) -> None:
    (fault,) = faults(START, [*CHAIN[:place], *CHAIN[place + 1 :]], END)
    assert fault == f"row {place + 1} was removed" + (" from the end" if place == 5 else "")


@pytest.mark.parametrize("place", range(5))
def test_two_swapped_rows_are_named(place: int) -> None:
    first, second = CHAIN[place : place + 2]
    swapped = [*CHAIN]
    swapped[place] = replace(second, number=first.number)
    swapped[place + 1] = replace(first, number=second.number)
    assert list(faults(START, swapped, END))[:2] == [
        f"row {place + 1} was edited",
        f"row {place + 2} was edited",
    ]


def test_an_inserted_row_is_named() -> None:
    added = sealed(END, "now", [Entry("query", "eve", {})])
    assert list(faults(START, [*CHAIN, *added], END)) == ["row 7 was added behind the recorded end"]
    between = [*CHAIN[:2], rehashed(replace(CHAIN[2], author="eve"))]
    moved = [replace(row, number=row.number + 1) for row in CHAIN[2:]]
    found = list(faults(START, [*between, *moved], END))
    assert [line.split(" was")[0] for line in found[:4]] == ["row 4", "row 5", "row 6", "row 7"]


def test_a_chain_written_anew_shows_only_against_a_head_that_was_kept() -> None:
    anew = sealed(Head(0, START), "2026", [*ROWS[:2], Entry("query", "eve", {}), *ROWS[3:]])
    assert list(faults(START, anew, anew[-1].head)) == []
    assert list(faults(START, anew, anew[-1].head, CHAIN[3].head)) == [
        "row 4 is not the one that was noted: it or one before was replaced"
    ]
    assert list(faults(START, CHAIN[:3], CHAIN[2].head, END)) == [
        "rows 4 to 6 were removed, as the head that was noted says"
    ]


def test_a_chain_of_another_index_is_named() -> None:
    (fault,) = faults(genesis({"identity": "y"}), CHAIN, END)
    assert fault.startswith("row 1 does not belong to this index")


def test_a_head_is_read_as_it_is_written() -> None:
    assert Head.parse(str(END)) == END
    for text in ("", "6", f"{END.hash}", f"six:{END.hash}", f"6:{END.hash}0"):
        with pytest.raises(UsageError, match="NUMBER:HASH"):
            Head.parse(text)


@given(author=st.text(), details=st.text(), generation=st.none() | st.integers(0, 2**53 - 1))
def test_rows_are_hashed_in_the_form_of_rfc_8785(
    author: str, details: str, generation: int | None
) -> None:
    row = replace(CHAIN[0], author=author, details=details, generation=generation)
    fields = {name: value for name, value in asdict(row).items() if name != "hash"}
    assert row.digest() == hashlib.sha256(rfc8785.dumps(fields)).hexdigest()
