"""Counts for Prometheus."""

from fastapi import APIRouter, Response

from search_api.metrics import CONTENT_TYPE, exposition
from search_api.service import ServiceOf

router = APIRouter(tags=["health"])


class Exposition(Response):
    """Prometheus' text format."""

    media_type = CONTENT_TYPE


@router.get("/metrics", response_class=Exposition)
def metrics(service: ServiceOf) -> Exposition:
    """Requests by route and status, their seconds, the model's batches, queue and restarts."""
    return Exposition(
        exposition(
            waiting=service.model.waiting,
            ready=service.model.trouble is None,
            generation=service.index.store.generation,
        )
    )
