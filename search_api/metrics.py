"""What the service counts, for Prometheus."""

from typing import Final

from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

REGISTRY = CollectorRegistry()

REQUESTS = Counter(
    "lineup_requests", "Requests answered.", ("method", "route", "status"), registry=REGISTRY
)
SECONDS = Histogram(
    "lineup_request_seconds",
    "From the first byte of a request to the last of its answer.",
    ("route",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
    registry=REGISTRY,
)
BATCH = Histogram(
    "lineup_model_batch_images",
    "Images that the model encoded together.",
    buckets=(1, 2, 4, 8, 16, 32),
    registry=REGISTRY,
)
RESTARTS = Counter(
    "lineup_model_restarts", "Times that the model process was replaced.", registry=REGISTRY
)
WAITING = Gauge("lineup_model_waiting", "Uploads waiting for the model.", registry=REGISTRY)
READY = Gauge("lineup_ready", "1 while /health/ready is green.", registry=REGISTRY)
GENERATION = Gauge("lineup_generation", "The latest generation.", registry=REGISTRY)

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4


def exposition(*, waiting: int, ready: bool, generation: int) -> bytes:
    """Everything in Prometheus' text format, with these as they are now."""
    WAITING.set(waiting)
    READY.set(ready)
    GENERATION.set(generation)
    return generate_latest(REGISTRY)
