"""Families: what they are, who is in them, what became of them."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Path, Query

from indexer.errors import NotFound
from indexer.families.describe import Family
from indexer.index.cards import card, cards, family_id, lineage_of, members_of
from indexer.store import Change, Membership
from search_api.examples import CHECKPOINT, OTHER_SHA256, SHA256, ok
from search_api.problems import documented, invalid
from search_api.routes.images import AtGeneration
from search_api.service import ServiceOf

router = APIRouter(prefix="/v1/families", tags=["families"])

T = TypeVar("T")
FAMILY, OTHER_FAMILY = "f018356c94b", "f1e188160e4"
FamilyId = Annotated[
    str, Path(pattern="^f[0-9a-f]{10}$", description="The family's id.", examples=[FAMILY])
]
Cursor = Annotated[
    str | None,
    Query(
        pattern=r"^[0-9]{1,18}\.[0-9]{1,18}$",
        description="`next` of the page before.",
        examples=["3.0"],
    ),
]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most.", examples=[50])]
Order = Literal[
    "size", "-size", "name", "-name", "cohesion", "-cohesion", "stability", "-stability"
]
INVALID = invalid("path.family", "String should match pattern '^f[0-9a-f]{10}$'")
UNKNOWN = NotFound(f"no family {FAMILY}", do="see: indexer families list")


@dataclass(frozen=True, slots=True)
class FamiliesAnswer:
    """A page of families. `next` is the cursor of the page after, None on the last; pages stay
    with the generation of the first."""

    generation: int
    checkpoint: dict[str, Any]
    total: int
    families: list[Family]
    next: str | None


@dataclass(frozen=True, slots=True)
class FamilyAnswer:
    """A family with its lineage: where its images came from and went."""

    generation: int
    checkpoint: dict[str, Any]
    family: Family
    lineage: list[Change]


@dataclass(frozen=True, slots=True)
class MembersAnswer:
    """A page of members, strongest first; those that somebody named (`said`) have strength 1."""

    generation: int
    checkpoint: dict[str, Any]
    total: int
    members: list[Membership]
    next: str | None


EXAMPLE = Family(
    id=FAMILY,
    name="face-swap",
    name_from="label",
    size=41,
    labelled=12,
    purity=1.0,
    exemplars=(SHA256, OTHER_SHA256),
    cohesion=0.55,
    nearest=((OTHER_FAMILY, 0.34),),
    first_seen="2026-01-04T09:30:00Z",
    last_seen="2026-03-01T12:00:00Z",
    fake_share=0.97,
    stability=0.92,
)


@router.get(
    "",
    responses=ok(FamiliesAnswer(3, CHECKPOINT, 51, [EXAMPLE], "3.50"))
    | documented(
        NotFound("no generation 9 in the index", expected="0 to 3"),
        invalid("query.sort", "Input should be 'size', '-size', ... or '-stability'"),
    ),
)
def families(
    service: ServiceOf,
    name: Annotated[
        str | None, Query(description="Only the family of this name.", examples=["swap"])
    ] = None,
    named_by: Annotated[
        Literal["analyst", "label", "metadata", "code"] | None,
        Query(description="Only families whose name comes from there.", examples=["label"]),
    ] = None,
    min_size: Annotated[int, Query(ge=1, description="Members at least.", examples=[1])] = 1,
    sort: Annotated[Order, Query(description="-: descending.", examples=["-size"])] = "-size",
    limit: Limit = 50,
    cursor: Cursor = None,
    generation: AtGeneration = None,
) -> FamiliesAnswer:
    """The families in force."""
    at, start = _from(cursor, service, generation)
    found = [
        family
        for family in cards(service.index, at)
        if (name is None or family.name == name)
        and (named_by is None or family.name_from == named_by)
        and family.size >= min_size
    ]
    key = sort.removeprefix("-")
    known = [family for family in found if getattr(family, key) is not None]
    known.sort(key=lambda family: getattr(family, key), reverse=sort.startswith("-"))
    found = [*known, *(family for family in found if getattr(family, key) is None)]
    page, following = _page(found, at, start, limit)
    return FamiliesAnswer(at, service.index.checkpoint, len(found), page, following)


@router.get(
    "/{family}",
    responses=ok(
        FamilyAnswer(3, CHECKPOINT, EXAMPLE, [Change(2, "merge", OTHER_FAMILY, FAMILY, 9)])
    )
    | documented(UNKNOWN, INVALID),
)
def family(family: FamilyId, service: ServiceOf, generation: AtGeneration = None) -> FamilyAnswer:
    """One family: exemplars, neighbours, how tight and how stable it is, its lineage."""
    index = service.index
    at = index.store.generation if generation is None else generation
    found = card(index, family, at)
    return FamilyAnswer(at, index.checkpoint, found, lineage_of(index, found.id, at))


@router.get(
    "/{family}/members",
    responses=ok(MembersAnswer(3, CHECKPOINT, 41, [Membership(SHA256, FAMILY, 0.93, False)], "3.1"))
    | documented(UNKNOWN, INVALID),
)
def members(
    family: FamilyId,
    service: ServiceOf,
    limit: Limit = 50,
    cursor: Cursor = None,
    generation: AtGeneration = None,
) -> MembersAnswer:
    """Who is in a family, strongest first."""
    at, start = _from(cursor, service, generation)
    found = members_of(service.index, family_id(service.index, family, at), at)
    page, following = _page(found, at, start, limit)
    return MembersAnswer(at, service.index.checkpoint, len(found), page, following)


def _from(cursor: str | None, service: ServiceOf, generation: int | None) -> tuple[int, int]:
    """The generation and the first row of the page."""
    if cursor is not None:
        at, start = map(int, cursor.split("."))
        return at, start
    return service.index.store.generation if generation is None else generation, 0


def _page(rows: list[T], at: int, start: int, limit: int) -> tuple[list[T], str | None]:
    end = start + limit
    return rows[start:end], f"{at}.{end}" if end < len(rows) else None
