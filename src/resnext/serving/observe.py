"""Request ids, log lines and metrics, and one form for every failure."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from resnext.serving.problems import HttpError
from resnext.serving.service import Service

_LOG = logging.getLogger("resnext.serving")
_GONE = 499  # what proxies log if the caller did not wait for the answer


@dataclass
class Record:
    """The log entry of one request, filled in while it is answered.

    Attributes:
        route: The path if the service knows it; other paths are not logged.
        num_images: Images of the request, once counted.
        num_bytes: Length of its body, once read.
        code: The error code, if it failed.
        status: The status of the answer; 499 if the caller did not wait for it.
    """

    route: str
    num_images: int = 0
    num_bytes: int = 0
    code: str = ""
    status: int = _GONE


def record_of(scope: Scope) -> Record:
    """Return the record that `Observe` created for a request."""
    record = scope["resnext.record"]
    assert isinstance(record, Record)
    return record


class Observe:
    """Adds ids, times, metrics and log lines to requests.

    Unexpected failures, by a bug or by the shutdown, are answered in the common form.
    """

    def __init__(self, app: ASGIApp, service: Service, routes: frozenset[str], rest: str) -> None:
        """Wrap an application.

        Args:
            app: The application.
            service: The service whose metrics are updated.
            routes: The paths with their own label.
            rest: The label of all other paths.
        """
        self._app = app
        self._service = service
        self._routes = routes
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        record = Record(path if path in self._routes else self._rest)
        scope["resnext.record"] = record
        number, start = secrets.token_hex(8), time.perf_counter()

        is_read = _has_no_body(Headers(scope=scope))

        async def receive_marked() -> Message:
            nonlocal is_read
            message = await receive()
            is_read = is_read or not message.get("more_body", False)
            return message

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                record.status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = number
                headers.setdefault("X-Content-Type-Options", "nosniff")
                # So that the caller sends nothing more over it; closing it before the body is
                # read would reset it, and the answer might be lost.
                if self._service.is_draining and is_read:
                    headers["Connection"] = "close"
            await send(message)

        try:
            await self._app(scope, receive_marked, send_marked)
        except ClientDisconnect:
            pass  # nobody reads the answer
        except asyncio.CancelledError:
            if not self._service.is_draining or record.status != _GONE:
                raise
            self._service.num_cut_off += 1
            problem = _cut_off()
            record.code = problem.code
            await problem.answer()(scope, receive, send_marked)
        # A bug: the caller gets the common form, the log the traceback.
        except Exception:
            _LOG.exception("request %s failed", number)
            record.code = "internal_error"
            if record.status == _GONE:
                problem = HttpError(
                    500, "internal_error", f"internal error; see request {number} in the log"
                )
                await problem.answer()(scope, receive, send_marked)
        finally:
            self._finish(record, number, scope["method"], time.perf_counter() - start)

    def _finish(self, record: Record, number: str, method: str, seconds: float) -> None:
        metrics = self._service.metrics
        metrics.count_request(record.route, record.status, seconds)
        if record.code:
            metrics.count_problem(record.code)
        line: dict[str, Any] = {
            "id": number,
            "route": record.route,
            "method": method if method.isalpha() and len(method) < 10 else "other",
            "status": record.status,
            "ms": round(1000 * seconds, 2),
        }
        optional = {
            "code": record.code,
            "images": record.num_images,
            "bytes": record.num_bytes,
        }
        line |= {name: value for name, value in optional.items() if value}
        _LOG.info("request", extra={"fields": line})


def _cut_off() -> HttpError:
    return HttpError(
        503,
        "draining",
        "the service shut down before it could answer; send the request again",
        headers={"Retry-After": "1", "Connection": "close"},
    )


def _has_no_body(headers: Headers) -> bool:
    return "transfer-encoding" not in headers and headers.get("content-length", "0") == "0"
