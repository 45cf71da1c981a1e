"""The service as a web application: its routes and middleware."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from resnext._version import __version__
from resnext.serving.head import HeadAsGet
from resnext.serving.key import RequireKey
from resnext.serving.observe import Observe, record_of
from resnext.serving.problems import HttpError
from resnext.serving.routes import READABLE, ROUTES, add_routes
from resnext.serving.service import Service
from resnext.serving.total_size import TotalSize

PAGE = "/page"

_DESCRIPTION = """\
Classifies images, or signals: time series, volumes, texts, audio and video. Send them to
`/v1/predict`, as files in a form or in JSON. Every error response has the form
`{"error": {"code", "message", "images"}}`.
"""


def create_app(
    service: Service,
    *,
    mount_page: Callable[[FastAPI], object] | None = None,
    api_key: str | None = None,
) -> FastAPI:
    """Build the application, which starts and stops the service.

    Args:
        service: The service that answers requests.
        mount_page: Mounts the web page at `/page`; `/` redirects there. Mounted at `/`, it would
            answer every unknown path.
        api_key: A key that callers must send, except to `/healthz` and `/readyz`.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.start()
        yield
        await service.stop()

    app = FastAPI(
        title="resnext",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # FastAPI's page loads scripts from a CDN; ours is at /docs
        redoc_url=None,
    )
    app.add_exception_handler(HttpError, _answer_problem)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    add_routes(app, service)
    if mount_page is not None:
        app.get("/", include_in_schema=False)(_to_page)
        mount_page(app)
    # The last middleware added is the outermost.
    app.add_middleware(HeadAsGet, paths=READABLE)
    app.add_middleware(TotalSize, limits=service.limits)
    if api_key is not None:
        app.add_middleware(RequireKey, key=api_key)
    rest = "other" if mount_page is None else "page"
    app.add_middleware(Observe, service=service, routes=ROUTES, rest=rest)
    return app


async def _to_page() -> RedirectResponse:
    return RedirectResponse(f"{PAGE}/")


def _answer_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HttpError)
    record_of(request.scope).code = error.code
    return error.answer()


def _answer_http(request: Request, error: Exception) -> Response:
    """Write the framework's own errors, such as 404 and 405, in the common form."""
    assert isinstance(error, HTTPException)
    codes = {404: "not_found", 405: "method_not_allowed"}
    code = codes.get(error.status_code, "refused")
    problem = HttpError(
        error.status_code, code, str(error.detail), headers=dict(error.headers or {})
    )
    return _answer_problem(request, problem)


def _answer_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    texts = [f"{'.'.join(map(str, p['loc'][1:]))}: {p['msg']}" for p in error.errors()]
    return _answer_problem(request, HttpError(422, "invalid_parameter", "; ".join(texts)))
