"""Serve a trained network over HTTP.

MODEL is an exported file, or a run, weight file or name, which is exported first. POST images, or
signals (audio and video files, texts, time series, volumes), to /v1/predict, or open the address in
a browser; GET /docs describes the API.

SIGHUP reloads the network without dropping requests; SIGTERM finishes accepted requests and stops.

Examples:
  resnext serve runs/photos
  resnext serve photos.onnx --host 0.0.0.0 --port 80 --api-key-file key.txt
  resnext serve photos.onnx --max-body-mib 8 --formats jpeg png --queue-images 128
  resnext serve photos.onnx --cluster auto --replicas 4
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from resnext.cli.arguments import option, parse
from resnext.errors import ConfigError
from resnext.extras import import_for

if TYPE_CHECKING:
    import socket

    from fastapi import FastAPI

    from resnext.serving.limits import Limits
    from resnext.serving.service import Service
    from resnext.serving.source import ModelSource


@dataclass(frozen=True)
class Serve:
    """Serve a trained network over HTTP."""

    model: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="MODEL")]
    """An exported file, a run, a weight file, or a name from `resnext weights list`."""
    host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 for all interfaces."""
    port: int = 8000
    """Port to listen on; 0 for any free port."""
    threads: Annotated[int | None, option("N", "all cores")] = None
    """Threads of one inference, and maximum images decoded at once (at most 8)."""
    runtime: Annotated[
        Literal["auto", "onnxruntime", "openvino"] | None,
        option("auto|onnxruntime|openvino", "that of the file; onnxruntime for a run"),
    ] = None
    """Runtime; auto times the installed ones for a few seconds and uses the fastest."""
    precision: Annotated[
        Literal["fp32", "bf16"] | None, option("fp32|bf16", "fp32, or that of the exported file")
    ] = None
    """Precision. Only OpenVINO supports bf16; its effect is measured and limited."""
    max_batch: int = 8
    """Maximum batch size."""
    max_body_mib: float = 32.0
    """Maximum size of a request body."""
    max_images: int = 32
    """Maximum images per request."""
    max_megapixels: float = 50.0
    """Maximum image size, checked from its header before decoding."""
    formats: Annotated[tuple[str, ...], option("FORMAT ...", "all supported")] = ()
    """Accepted image formats: avif bmp gif jpeg png ppm tiff webp."""
    queue_images: int = 64
    """Maximum queued and processed images of all requests; further requests get 429."""
    max_wait_s: float = 2.0
    """Maximum queue time, estimated from recent throughput; above it, requests get 429."""
    max_memory_mib: float = 256.0
    """Maximum size of all request bodies together."""
    max_decode_mib: float = 512.0
    """Maximum memory of images being decoded, at 16 bytes per pixel (WebP: 32); others wait."""
    upload_timeout_s: float = 30.0
    """Timeout for receiving a body."""
    answer_timeout_s: float = 60.0
    """Timeout from a complete body to its response."""
    api_key_file: Annotated[Path | None, option("FILE", "RESNEXT_API_KEY, or no key")] = None
    """A file with the API key that clients must send."""
    watch: bool = False
    """Reload the network when its file changes."""
    drain_s: Annotated[float | None, option("S", "1")] = None
    """After SIGTERM: time during which requests are still accepted, but readiness is off."""
    shutdown_timeout_s: float = 30.0
    """After that: time for the requests in progress."""
    no_page: bool = False
    """Serve only the API, without the web page."""
    runs: Annotated[Path | None, option("FOLDER", "none")] = None
    """Folder of runs shown on the page."""
    cluster: Annotated[str | None, option("ADDRESS", "this process")] = None
    """Serve with Ray: `local` starts Ray here, `auto` or an address joins a cluster."""
    replicas: int = 1
    """With --cluster: number of replicas."""


def main(argv: list[str]) -> int:
    """Run the verb."""
    arguments = parse(Serve, argv, __doc__)
    limits = _limits(arguments)
    if arguments.replicas < 1:
        raise ConfigError(f"--replicas {arguments.replicas}: give a positive number")
    if arguments.replicas != 1 and arguments.cluster is None:
        raise ConfigError("--replicas needs --cluster, such as --cluster local")
    _require_extra()
    from resnext.serving.key import read_key
    from resnext.serving.logs import log_to_stdout
    from resnext.serving.source import ModelSource

    key = read_key(arguments.api_key_file)
    source = ModelSource(arguments.model, arguments.threads, arguments.runtime, arguments.precision)
    log_to_stdout()
    if arguments.cluster is not None:
        return _serve_on_cluster(arguments, source, limits, key)
    return _serve_here(arguments, source, limits, key)


def _serve_on_cluster(
    arguments: Serve, source: ModelSource, limits: Limits, key: str | None
) -> int:
    from resnext.serving.cluster import Cluster, serve_on_cluster

    if arguments.watch:
        raise ConfigError("--watch needs a single process; on a cluster send SIGHUP to reload")
    if arguments.runs is not None:
        raise ConfigError("--runs is for the page, which a service on a cluster does not have")
    if arguments.drain_s is not None:
        raise ConfigError("--drain-s needs a single process; a cluster stops its replicas itself")
    address, port = arguments.cluster or "local", arguments.port
    if address == "local":
        with _bind(arguments) as sock:  # Ray would try again and again
            port = sock.getsockname()[1]
    elif port == 0:
        raise ConfigError("--port 0 needs one machine; give the port of the cluster's proxies")
    cluster = Cluster(
        address, arguments.replicas, arguments.host, port, arguments.shutdown_timeout_s
    )
    source = source.absolute()  # replicas start in another folder
    if address == "local" or source.path.exists():
        source.open()  # what is wrong with it would only be in Ray's logs
    return serve_on_cluster(source, limits, key, cluster)


def _serve_here(arguments: Serve, source: ModelSource, limits: Limits, key: str | None) -> int:
    if arguments.runs is not None and arguments.no_page:
        raise ConfigError("--runs is for the page, which --no-page disables; give only one of them")
    if arguments.watch and not arguments.model.exists():
        raise ConfigError(
            f"--watch needs a local file or run, but {arguments.model} is neither; leave out "
            "--watch"
        )
    from resnext.serving.app import create_app
    from resnext.serving.leaving import ending_by_sigterm, leave_if_stuck
    from resnext.serving.output import only_json
    from resnext.serving.server import ShutdownTimes, serve
    from resnext.serving.service import Service

    with _bind(arguments) as sock, ending_by_sigterm(), only_json() as people:
        service = Service(source.open, limits, threads=source.threads)
        mount_page = None if arguments.no_page else _page(arguments, service)
        app = create_app(service, mount_page=mount_page, api_key=key)
        host, port = sock.getsockname()[:2]
        host = f"[{host}]" if ":" in host else host
        if service.model.note:
            print(service.model.note, file=people)
        print(f"serving {service.model.name} on http://{host}:{port}", file=people, flush=True)
        drain_s = 1.0 if arguments.drain_s is None else arguments.drain_s
        ending = ShutdownTimes(drain_s, arguments.shutdown_timeout_s)
        watched = source.watched if arguments.watch else None
        status = serve(app, service, sock, ending=ending, watched=watched)
    leave_if_stuck()
    return status


def _bind(arguments: Serve) -> socket.socket:
    from resnext.serving.server import bind

    try:
        return bind(arguments.host, arguments.port)
    except (OSError, OverflowError) as error:
        raise ConfigError(
            f"--host {arguments.host} --port {arguments.port}: cannot listen there ({error})"
        ) from None


def _page(arguments: Serve, service: Service) -> Callable[[FastAPI], object]:
    """Build the page; heat maps, which only images have, need a PyTorch network."""
    from resnext.inference.load import load
    from resnext.page import build_page, mount_page
    from resnext.runtimes.open import is_exported

    path, is_for_signals = arguments.model, service.model.noun == "signals"
    model = service.model.exported if is_for_signals or is_exported(path) else load(path)
    page = build_page(model=model, runs=arguments.runs, name=service.model.name)
    return partial(mount_page, page=page)


def _limits(arguments: Serve) -> Limits:
    from resnext.serving.limits import FORMATS, Limits

    given = {name: getattr(arguments, name) for name in Limits.model_fields if name != "formats"}
    return Limits(**given, formats=arguments.formats or FORMATS)


def _require_extra() -> None:
    for package in ("fastapi", "httptools", "prometheus_client", "python_multipart", "uvicorn"):
        import_for("resnext serve", package)
