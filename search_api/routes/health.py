"""Whether the service runs, and whether it can answer."""

from dataclasses import dataclass
from typing import Any, Literal

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool

from search_api.examples import CHECKPOINT, ok
from search_api.problems import ModelUnavailable, documented
from search_api.service import ServiceOf

router = APIRouter(prefix="/health", tags=["health"])


@dataclass(frozen=True, slots=True)
class Live:
    """The process answers."""

    status: Literal["live"]


@dataclass(frozen=True, slots=True)
class Ready:
    """Searches are answered, from this generation and checkpoint."""

    status: Literal["ready"]
    generation: int
    checkpoint: dict[str, Any]


@router.get("/live", responses=ok(Live("live")))
async def live() -> Live:
    """Whether the process answers at all. Red means: restart it."""
    return Live("live")


@router.get(
    "/ready",
    responses=ok(Ready("ready", 3, CHECKPOINT))
    | documented(ModelUnavailable("the model has made no step for more than 4 s")),
)
async def ready(service: ServiceOf) -> Ready:
    """Whether searches can be answered. Red, with the reason, means: send them elsewhere."""
    if trouble := service.model.trouble:
        raise ModelUnavailable(trouble, do="its process is replaced; try again later")
    generation = await run_in_threadpool(lambda: service.index.store.generation)
    return Ready("ready", generation, service.index.checkpoint)
