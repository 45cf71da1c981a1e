"""The routes of the service."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from fastapi import FastAPI, Query, Request
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, JSONResponse, Response

from resnext._version import __version__
from resnext.serving.answers import MaskForm, check_query, write_answers
from resnext.serving.body import discard, read_body
from resnext.serving.observe import record_of
from resnext.serving.problems import HttpError, ProblemAnswer
from resnext.serving.reference import reference_page
from resnext.serving.schemas import (
    HealthAnswer,
    LimitsAnswer,
    ModelAnswer,
    PredictAnswer,
    SignalAnswer,
    request_body,
)
from resnext.serving.service import Service

ROUTES = frozenset(
    {"/v1/predict", "/v1/model", "/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"}
)
READABLE = (ROUTES - {"/v1/predict"}) | {"/"}
"""Paths that answer GET and HEAD."""

_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_STATUSES = {
    400: "Malformed body, or a damaged image or signal",
    401: "The API key is missing or wrong, if one is set",
    408: "The body did not arrive in time, or stalled while others needed its memory",
    413: "Body, number of images, pixels of an image or length of a signal above the limit",
    415: "Unsupported content type or file format",
    422: "No image, invalid base64, an unknown field, or an invalid parameter",
    429: "Too busy; try again after Retry-After seconds",
    503: "No answer in time; try again after Retry-After seconds",
}

T = TypeVar("T")


def add_routes(app: FastAPI, service: Service) -> None:
    """Add all routes of a service to its application."""
    problems: dict[int | str, dict[str, Any]] = {
        status: {"model": ProblemAnswer, "description": text} for status, text in _STATUSES.items()
    }

    @app.post(
        "/v1/predict",
        response_model=PredictAnswer,
        responses=problems,
        openapi_extra={"requestBody": request_body(service.model.takes)},
    )
    async def predict(
        request: Request,
        top: Annotated[
            int | None,
            Query(ge=1, description="Classes or labels to rank, by default 5; or objects, 100."),
        ] = None,
        masks: Annotated[
            MaskForm | None,
            Query(description="Format of masks: PNG (the default) or COCO run lengths."),
        ] = None,
        min_score: Annotated[
            float | None,
            Query(
                ge=0, le=1, description="Of detectors: lowest score of an object, by default 0.5."
            ),
        ] = None,
    ) -> Response:
        """Predict images or signals: classes, labels, masks or objects, by the network's task.

        If any image is invalid, the whole request fails, and the error lists the index of each.
        """
        return await _predict(request, service, top, masks, min_score)

    @app.get("/v1/model", responses={401: problems[401]})
    async def model() -> ModelAnswer:
        """Return the served network, its classes, and the limits of a request."""
        return _describe(service)

    @app.get("/healthz")
    async def healthz() -> HealthAnswer:
        """Liveness: the process is running."""
        return HealthAnswer(status="ok")

    @app.get("/readyz", responses={503: problems[503] | {"description": "Shutting down"}})
    async def readyz() -> HealthAnswer:
        """Readiness: whether the service accepts requests."""
        if service.is_draining:
            raise HttpError(503, "draining", "the service is shutting down")
        return HealthAnswer(status="ready")

    @app.get("/metrics", responses={200: {"content": {"text/plain": {}}}, 401: problems[401]})
    async def metrics() -> Response:
        """Return the metrics of the service in the Prometheus text format."""
        return Response(service.metrics.text(), headers={"Content-Type": _METRICS_TYPE})

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return reference_page(app.openapi())


async def _predict(
    request: Request,
    service: Service,
    top: int | None,
    masks: MaskForm | None,
    min_score: float | None,
) -> Response:
    record, is_read = record_of(request.scope), False
    try:
        check_query(service.model, masks, min_score)
        with service.admission.enter() as ticket:
            body = await read_body(request, service.limits, ticket)
            is_read, record.num_bytes = True, len(body)
            ticket.join_queue()
            content_type = request.headers.get("content-type", "")
            work = service.predict(body, content_type, ticket, top, min_score)
            model, images = await _unless_gone(request, work)
    except HttpError:
        if not is_read:
            await discard(request.headers, request.receive)
        raise
    record.num_images = len(images)
    head = {"model": model.name, "precision": model.precision}
    return JSONResponse(head | {model.noun: await write_answers(model, images, masks)})


async def _unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Await some work, and cancel it if the caller disconnects.

    Raises:
        ClientDisconnect: The caller has disconnected.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(request.receive())  # after the body only a disconnect can come
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise ClientDisconnect
    finally:
        task.cancel()
        gone.cancel()


def _describe(service: Service) -> ModelAnswer:
    model = service.model
    limits = model.bound(service.limits)
    card, spec = model.exported.card, model.exported.spec
    runtime = model.exported.runtime
    return ModelAnswer(
        name=model.name,
        data=card.data,
        task=card.task,
        classes=list(model.classes),
        in_channels=model.exported.config.in_channels,
        input=spec.input,
        image_size_px=spec.size_px,
        signal=None if card.signal is None else SignalAnswer.of(card.signal),
        precision=model.precision,
        format=spec.format,
        runtime=runtime,
        note=model.note,
        metrics=card.metrics,
        limits=LimitsAnswer(
            max_body_mib=limits.max_body_mib,
            max_images=limits.images_per_request,
            max_megapixels=limits.max_megapixels,
            formats=list(model.formats(limits)),
        ),
        versions={"resnext": __version__, runtime: _version_of(runtime)},
        opened_at=datetime.fromtimestamp(model.opened_at, UTC).isoformat(timespec="seconds"),
        reload_error=service.reload_error,
    )


def _version_of(runtime: str) -> str:
    """Ask the module: its package may have another name, such as onnxruntime-gpu."""
    return str(importlib.import_module(runtime).__version__)
