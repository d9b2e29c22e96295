"""What analysts decide on families: in force in the next answer, and never forgotten."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from indexer.errors import NotFound, UsageError
from indexer.families.actions import Merge, Pin, Reject, Rename, Split, Undo
from indexer.index.families import decide
from indexer.store import Decided
from search_api.access import CallerOf
from search_api.examples import CHECKPOINT, SHA256, ok
from search_api.problems import documented, invalid
from search_api.routes.families import FAMILY, INVALID, OTHER_FAMILY, UNKNOWN, FamilyId
from search_api.service import ServiceOf

router = APIRouter(prefix="/v1", tags=["families"])


class Body(BaseModel):
    """A request that has no other fields than these."""

    model_config = ConfigDict(extra="forbid")


class NewName(Body):
    """What a family is called from now on."""

    name: str = Field(min_length=1, max_length=200, examples=["FaceMagic 2"])


class Families(Body):
    """Families that become part of another."""

    families: list[Annotated[str, Field(pattern="^f[0-9a-f]{10}$")]] = Field(
        min_length=1, max_length=1000, examples=[[OTHER_FAMILY]]
    )


class Images(Body):
    """Images that a decision is about."""

    images: list[Annotated[str, Field(pattern="^[0-9a-f]{64}$")]] = Field(
        min_length=1, max_length=1000, description="sha256 of each.", examples=[[SHA256]]
    )


@dataclass(frozen=True, slots=True)
class DecisionAnswer:
    """A decision was recorded: `decision` is its number, by which it can be undone, and the
    generation from which on it is in force."""

    decision: int
    generation: int


@dataclass(frozen=True, slots=True)
class DecisionsAnswer:
    """Every decision, oldest first."""

    generation: int
    checkpoint: dict[str, Any]
    decisions: list[Decided]


DONE = ok(DecisionAnswer(4, 4))
PROBLEMS = documented(UNKNOWN, INVALID)
ABOUT_IMAGES = documented(NotFound(f"no image {SHA256} in the index"), INVALID)


@router.patch("/families/{family}", responses=DONE | PROBLEMS)
def rename(
    family: FamilyId, asked: NewName, service: ServiceOf, caller: CallerOf
) -> DecisionAnswer:
    """Give a family a name."""
    return _done(decide(service.index, Rename(family, asked.name), caller.name))


@router.post("/families/{family}/merge", responses=DONE | PROBLEMS)
def merge(
    family: FamilyId, asked: Families, service: ServiceOf, caller: CallerOf
) -> DecisionAnswer:
    """Make other families part of this one, now and after every build."""
    return _done(decide(service.index, Merge(family, tuple(asked.families)), caller.name))


@router.post("/families/{family}/split", responses=DONE | ABOUT_IMAGES)
def split(family: FamilyId, asked: Images, service: ServiceOf, caller: CallerOf) -> DecisionAnswer:
    """Make these images of a family a family of their own."""
    return _done(decide(service.index, Split(family, tuple(asked.images)), caller.name))


@router.post("/families/{family}/pin", responses=DONE | ABOUT_IMAGES)
def pin(family: FamilyId, asked: Images, service: ServiceOf, caller: CallerOf) -> DecisionAnswer:
    """Keep these images in a family, whatever clustering says."""
    return _done(decide(service.index, Pin(tuple(asked.images), family), caller.name))


@router.post("/families/{family}/reject", responses=DONE | ABOUT_IMAGES)
def reject(family: FamilyId, asked: Images, service: ServiceOf, caller: CallerOf) -> DecisionAnswer:
    """Keep these images out of a family, whatever clustering says."""
    return _done(decide(service.index, Reject(tuple(asked.images), family), caller.name))


@router.get(
    "/decisions",
    responses=ok(
        DecisionsAnswer(
            4,
            CHECKPOINT,
            [
                Decided(
                    4,
                    "desk",
                    "2026-03-02T08:00:00.000+00:00",
                    {"kind": "rename", "family": FAMILY, "name": "FaceMagic 2"},
                )
            ],
        )
    ),
)
def decisions(service: ServiceOf) -> DecisionsAnswer:
    """What was decided, by whom and when."""
    store = service.index.store
    at = store.generation
    return DecisionsAnswer(at, service.index.checkpoint, store.families.decisions(at))


@router.post(
    "/decisions/{number}/undo",
    responses=DONE
    | documented(
        NotFound("no decision 7", do="list the decisions"),
        UsageError("decision 4 is undone already", do="undo its undo"),
        invalid("path.number", "Input should be greater than or equal to 1"),
    ),
)
def undo(
    number: Annotated[int, Path(ge=1, description="The decision.", examples=[4])],
    service: ServiceOf,
    caller: CallerOf,
) -> DecisionAnswer:
    """Take a decision back; an undo can be undone, too."""
    return _done(decide(service.index, Undo(number), caller.name))


def _done(number: int) -> DecisionAnswer:
    return DecisionAnswer(number, number)
