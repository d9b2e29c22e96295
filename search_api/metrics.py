"""What the service counts, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

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
