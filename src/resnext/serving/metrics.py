"""The figures of one service, in the form that Prometheus reads."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_IMAGES = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """Counters with a registry of their own, so that two services do not share them.

    No label holds anything that a caller chose, which would let callers fill the memory.

    Attributes:
        queue_images: Images that are waiting or worked on.
        uploads: Bodies that are on their way.
        connections: Open connections.
        ready: 1 while the service takes requests.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "resnext_requests",
            "Answers by route and status.",
            ["route", "code"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "resnext_request_seconds",
            "From the head of a request to the end of its answer.",
            ["route"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._problems = Counter(
            "resnext_problems", "Answers of 4xx and 5xx by code.", ["code"], registry=self._registry
        )
        self._batch = Histogram(
            "resnext_batch_images", "Images of a batch.", buckets=_IMAGES, registry=self._registry
        )
        self._inference = Histogram(
            "resnext_inference_seconds",
            "Time of a batch in the network.",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._reloads = Counter(
            "resnext_reloads", "Reloads of the network.", ["outcome"], registry=self._registry
        )
        self._model = Gauge(
            "resnext_model_info", "The network that is served.", ["model"], registry=self._registry
        )
        self.queue_images = Gauge(
            "resnext_queue_images", "Images waiting or worked on.", registry=self._registry
        )
        self.uploads = Gauge(
            "resnext_uploads", "Bodies that are on their way.", registry=self._registry
        )
        self.connections = Gauge(
            "resnext_connections", "Open connections.", registry=self._registry
        )
        self.ready = Gauge("resnext_ready", "1 while requests are taken.", registry=self._registry)

    def count_request(self, route: str, status: int, seconds: float) -> None:
        """Count an answer."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def count_problem(self, code: str) -> None:
        """Count an answer that is no success by its code."""
        self._problems.labels(code).inc()

    def count_batch(self, num_images: int, seconds: float) -> None:
        """Count a batch that went through the network."""
        self._batch.observe(num_images)
        self._inference.observe(seconds)

    def count_reload(self, *, is_good: bool) -> None:
        """Count an attempt to open another network."""
        self._reloads.labels("good" if is_good else "refused").inc()

    def name_model(self, name: str) -> None:
        """Say which network is served."""
        self._model.clear()
        self._model.labels(name).set(1)

    def text(self) -> bytes:
        """Return all figures in Prometheus' text form."""
        return generate_latest(self._registry)
