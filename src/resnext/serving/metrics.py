"""The metrics of one service, in the Prometheus format."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_IMAGES = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """Metrics with a separate registry, so that two services do not share them.

    No label contains a value chosen by a caller, which would let callers fill the memory.

    Attributes:
        queue_images: Images waiting or in progress.
        uploads: Bodies that are still arriving.
        connections: Open connections.
        ready: 1 while the service accepts requests.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "resnext_requests",
            "Responses by route and status.",
            ["route", "code"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "resnext_request_seconds",
            "Time from the head of a request to the end of its response.",
            ["route"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._problems = Counter(
            "resnext_problems", "4xx and 5xx responses by code.", ["code"], registry=self._registry
        )
        self._batch = Histogram(
            "resnext_batch_images", "Images per batch.", buckets=_IMAGES, registry=self._registry
        )
        self._inference = Histogram(
            "resnext_inference_seconds",
            "Time to run a batch.",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._reloads = Counter(
            "resnext_reloads", "Reloads of the network.", ["outcome"], registry=self._registry
        )
        self._model = Gauge(
            "resnext_model_info", "The served network.", ["model"], registry=self._registry
        )
        self.queue_images = Gauge(
            "resnext_queue_images", "Images waiting or in progress.", registry=self._registry
        )
        self.uploads = Gauge(
            "resnext_uploads", "Bodies that are still arriving.", registry=self._registry
        )
        self.connections = Gauge(
            "resnext_connections", "Open connections.", registry=self._registry
        )
        self.ready = Gauge(
            "resnext_ready", "1 while requests are accepted.", registry=self._registry
        )

    def count_request(self, route: str, status: int, seconds: float) -> None:
        """Count a response."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def count_problem(self, code: str) -> None:
        """Count an error response by its code."""
        self._problems.labels(code).inc()

    def count_batch(self, num_images: int, seconds: float) -> None:
        """Count a batch."""
        self._batch.observe(num_images)
        self._inference.observe(seconds)

    def count_reload(self, *, is_good: bool) -> None:
        """Count an attempt to reload the network."""
        self._reloads.labels("good" if is_good else "refused").inc()

    def name_model(self, name: str) -> None:
        """Report the served network."""
        self._model.clear()
        self._model.labels(name).set(1)

    def text(self) -> bytes:
        """Return all metrics in the Prometheus text format."""
        return generate_latest(self._registry)
