"""The service on Ray Serve: replicas on one or more machines behind one address.

Each replica is a complete service with its own queue and batches, so limits, errors and answers
are the same as for one process. Ray routes requests to the least busy replica and restarts
replicas that die.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from resnext.errors import RunError
from resnext.ray_cluster import import_ray, join_cluster
from resnext.serving.limits import Limits
from resnext.serving.service import Service
from resnext.serving.source import ModelSource

if TYPE_CHECKING:
    from fastapi import FastAPI

_LOG = logging.getLogger("resnext.serving")
_NAME = "resnext"
_STARTS = 3
_MAX_START_S = 600.0
_SPARE = 16  # for health checks and metrics while the queue is full

_services: list[Service] = []
"""The service of this process, if it is a replica."""


@dataclass(frozen=True)
class Cluster:
    """Where the replicas run.

    Attributes:
        address: `local` starts Ray on this machine; `auto` or an address joins a cluster.
        replicas: Number of replicas.
        host: Address on which the cluster's proxy listens.
        port: Its port.
        timeout_s: Time for requests in progress at shutdown.
    """

    address: str
    replicas: int
    host: str
    port: int
    timeout_s: float = 30.0


def serve_on_cluster(
    source: ModelSource, limits: Limits, api_key: str | None, cluster: Cluster
) -> int:
    """Start the replicas and wait for signals: SIGHUP reloads, SIGTERM shuts down.

    Args:
        source: The network; its path must refer to the same file on all machines.
        limits: Limits of each replica.
        api_key: The key that callers must send.
        cluster: The cluster.

    Returns:
        0.

    Raises:
        ConfigError: Ray is not installed.
        RunError: The cluster does not exist, this machine has too few processors for the
            replicas, or they do not start.
    """
    ray = join_cluster(cluster.address)
    _check_room(ray, cluster, source.threads or 1)
    serve = import_ray("ray.serve")
    logging.getLogger("ray.serve").setLevel(logging.WARNING)  # the rest is not about the service
    signals = _Signals()  # after Ray's handlers, which would end this process with a traceback
    try:
        generation = 0
        with signals.end_at_once():
            with _told(cluster):
                _start(serve, cluster)
            _LOG.info("starting %s, replicas: %d", source.name, cluster.replicas)
            _deploy(serve, source, limits, api_key, cluster, generation)
        url = f"http://{cluster.host}:{cluster.port}"
        _LOG.info("serving %s on %s, replicas: %d", source.name, url, cluster.replicas)
        while signals.wait() == signal.SIGHUP:
            generation += 1
            _deploy(serve, source, limits, api_key, cluster, generation)
        _LOG.info("draining")
        serve.delete(_NAME)
    except BaseException:  # Ray can turn the signal's exception into another one
        if not signals.has_ended_start:
            raise
        _LOG.info("ended while starting")
        if cluster.address != "local":
            _delete_started(serve)
    finally:
        if cluster.address == "local":
            ray.shutdown()  # ends all its processes; `serve.shutdown` waits for a broken controller
    return 0


def _delete_started(serve: Any) -> None:
    """Delete the replicas that have started on a cluster that goes on without this process."""
    from ray.exceptions import RayError

    try:
        serve.delete(_NAME)
    except (RayError, RuntimeError, TimeoutError) as error:
        _LOG.warning("replicas may still run on the cluster (%s)", _reason(error))


def _check_room(ray: Any, cluster: Cluster, threads: int) -> None:
    """Check that the replicas fit on this machine: Ray would wait for more processors forever.

    Raises:
        RunError: They need more processors than there are.
    """
    if cluster.address != "local":  # a cluster can grow
        return
    processors = int(ray.cluster_resources().get("CPU", 0))
    if cluster.replicas * threads > processors:
        ray.shutdown()
        raise RunError(
            f"--cluster local: --replicas {cluster.replicas} with --threads {threads} need "
            f"{cluster.replicas * threads} processors, and this machine has {processors}; give "
            "fewer of either"
        )


def _start(serve: Any, cluster: Cluster) -> None:
    """Start Ray Serve, with retries: on a busy machine it may fail or take longer than it waits."""
    from ray.exceptions import RayError

    options = {"host": cluster.host, "port": cluster.port}
    for attempt in range(1, _STARTS + 1):
        try:
            serve.start(proxy_location="EveryNode", http_options=options)
            return
        except TimeoutError:  # its processes go on starting
            _wait_for_proxies(serve)
            return
        except (RayError, RuntimeError) as error:
            if attempt == _STARTS:
                raise
            _LOG.warning("Ray Serve did not start (%s); trying again", _reason(error))
            serve.shutdown()


def _wait_for_proxies(serve: Any) -> None:
    """Wait until the cluster's proxies accept requests.

    Raises:
        TimeoutError: They do not.
    """
    _LOG.warning("Ray Serve takes long to start; waiting")
    end = time.monotonic() + _MAX_START_S
    while time.monotonic() < end:
        states = serve.status().proxies.values()
        if states and all(state == "HEALTHY" for state in states):
            return
        time.sleep(1)
    raise TimeoutError(f"its proxies are not available after {_MAX_START_S:.0f} s")


def _deploy(
    serve: Any,
    source: ModelSource,
    limits: Limits,
    api_key: str | None,
    cluster: Cluster,
    generation: int,
) -> None:
    """Start the replicas, or make running replicas reload the network."""

    def build() -> FastAPI:
        from resnext.serving.cluster import replica_app

        return replica_app(source, limits, api_key)

    class Replica:
        """The replica's name in Ray's dashboard."""

        def reconfigure(self, settings: dict[str, int]) -> None:
            """Reload the network, except the first time."""
            from resnext.serving.cluster import reload_replica

            if settings["generation"]:
                reload_replica()

    deployment = serve.deployment(
        name="service",
        num_replicas=cluster.replicas,
        ray_actor_options={"num_cpus": source.threads or 1},
        max_ongoing_requests=limits.queue_images + _SPARE,
        max_queued_requests=limits.queue_images * cluster.replicas,
        graceful_shutdown_timeout_s=cluster.timeout_s,
        user_config={"generation": generation},
    )(serve.ingress(build)(Replica))
    with _told(cluster):
        serve.run(deployment.bind(), name=_NAME, route_prefix="/")


@contextlib.contextmanager
def _told(cluster: Cluster) -> Iterator[None]:
    """Return a short error for a failed start, without the traceback of another process."""
    from ray.exceptions import RayError

    try:
        yield
    except (RayError, RuntimeError, TimeoutError) as error:
        raise RunError(
            f"--cluster {cluster.address}: the service does not start there ({_reason(error)}); "
            "see Ray's logs in /tmp/ray/session_latest/logs/serve"
        ) from None


def _reason(error: Exception) -> str:
    """Return the last line of an error from Ray; the lines before are a traceback."""
    lines = str(error).strip().splitlines()
    return lines[-1] if lines else type(error).__name__


def replica_app(source: ModelSource, limits: Limits, api_key: str | None) -> FastAPI:
    """Build the application of one replica, in its process."""
    from resnext.serving.app import create_app
    from resnext.serving.logs import log_to_stdout

    log_to_stdout()
    service = Service(source.open, limits, threads=source.threads)
    _services.append(service)
    return create_app(service, api_key=api_key)


def reload_replica() -> None:
    """Reload the network of this replica; a broken network is ignored."""
    for service in _services:
        service.reload()


class _EndedWhileStarting(BaseException):
    """A signal asked for the end before the service was ready; no error of Ray's hides it."""


class _Signals:
    """Queues the signals of this process.

    Attributes:
        has_ended_start: A signal asked for the end while the service was starting.
    """

    def __init__(self) -> None:
        self.has_ended_start = False
        self._is_starting = False
        self._arrived = threading.Semaphore(0)
        self._numbers: list[int] = []
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._keep)

    @contextlib.contextmanager
    def end_at_once(self) -> Iterator[None]:
        """Let SIGTERM and SIGINT interrupt the block, which can wait for minutes."""
        self._is_starting = True
        try:
            yield
        finally:
            self._is_starting = False

    def _keep(self, number: int, _: object) -> None:
        if self._is_starting and number != signal.SIGHUP:
            self.has_ended_start = True
            raise _EndedWhileStarting
        self._numbers.append(number)
        self._arrived.release()

    def wait(self) -> int:
        while not self._arrived.acquire(timeout=0.5):  # signals are handled between waits
            pass
        return self._numbers.pop(0)
