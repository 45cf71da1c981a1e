"""Guard of the page: only requests that the page itself makes reach gradio.

gradio mounts about seventy routes, some of which open, copy, fetch or proxy what a caller names.
The page in a browser needs six of them. Those are listed here; every other path and method is
refused, including any that a later version of gradio adds.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from dataclasses import dataclass

import gradio as gr
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from resnext.page.calls import MAX_CALL_BYTES, MAX_FILES, CallError, read_call, session_of
from resnext.page.sessions import BusyError, Sessions
from resnext.page.uploads import KEPT_S, MAX_IMAGE_BYTES, Uploads
from resnext.serving.body import announced_bytes, discard
from resnext.serving.problems import HttpError
from resnext.serving.upload import read_images

MAX_UPLOAD_BYTES = 64 * 2**20
_NUM_UPLOADING = 4
_BODY_S = 60.0

# Each component starts with a letter, digit or underscore: no `..`, no empty one, no `%`.
_STATIC_PATH = re.compile(r"(\w[\w.-]*/){0,5}\w[\w.-]*", re.ASCII)
_HOST = re.compile(r"([A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(:\d{1,5})?")
_PASSED_ON = frozenset({b"accept", b"accept-encoding", b"if-none-match", b"user-agent"})


class PageGuard:
    """An application that passes the page's requests to gradio and refuses all others."""

    def __init__(self, gradio_app: ASGIApp, page: gr.Blocks) -> None:
        """Wrap gradio's application.

        Args:
            gradio_app: The application that gradio mounts.
            page: The page, with its `uploads`.
        """
        self._gradio = gradio_app
        self._page = page
        self._uploads: Uploads = page.uploads
        self._sessions = Sessions(page)
        self._uploading = asyncio.Semaphore(_NUM_UPLOADING)
        self._router = Router(
            [
                Route("/", self._pass_on),
                Route("/theme.css", self._pass_on),
                Route("/assets/{path:path}", self._pass_on_static),
                Route("/static/{path:path}", self._pass_on_static),
                Route("/gradio_api/queue/join", self._call, methods=["POST"]),
                Route("/gradio_api/queue/data", self._answers),
                Route("/gradio_api/upload", self._upload, methods=["POST"]),
                Route("/gradio_api/upload_progress", self._progress),
                Route("/gradio_api/file={name}", self._uploaded),
            ],
            redirect_slashes=False,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        with contextlib.suppress(ClientDisconnect):  # nobody reads an answer
            await self._router(scope, receive, send)

    async def _pass_on(self, _: Request) -> ASGIApp:
        return _ToGradio(self._gradio)

    async def _pass_on_static(self, request: Request) -> ASGIApp:
        if not _STATIC_PATH.fullmatch(request.path_params["path"]):
            raise HTTPException(404)
        return _ToGradio(self._gradio)

    async def _call(self, request: Request) -> ASGIApp:
        try:
            body = await _read_body(request, MAX_CALL_BYTES)
            call = read_call(body, self._page, self._uploads)
            await self._sessions.admit(call.session)
        except CallError as error:
            return _refusal(400, str(error))
        except BusyError as error:
            return _refusal(429, str(error))
        return _ToGradio(self._gradio, body=call.body)

    async def _answers(self, request: Request) -> ASGIApp:
        try:
            name = session_of(request.query_params.get("session_hash"))
        except CallError as error:
            return _refusal(400, str(error))
        to_gradio = _ToGradio(self._gradio, query=f"session_hash={name}")

        async def stream(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                async with self._sessions.listening(name):
                    await to_gradio(scope, receive, send)
            except KeyError:
                await _refusal(404, "no such session")(scope, receive, send)
            except BusyError as error:
                await _refusal(409, str(error))(scope, receive, send)

        return stream

    async def _upload(self, request: Request) -> Response:
        kind = request.headers.get("content-type", "")
        if not kind.lower().startswith("multipart/form-data"):
            return _refusal(415, "send multipart/form-data")
        async with self._uploading:
            body = await _read_body(request, MAX_UPLOAD_BYTES)
            try:
                images = read_images(body, kind, MAX_FILES)
            except HttpError as problem:
                return _refusal(problem.status, str(problem))
            if max(map(len, images)) > MAX_IMAGE_BYTES:
                return _refusal(413, f"an image is larger than {MAX_IMAGE_BYTES >> 20} MiB")
            names = [await asyncio.to_thread(self._uploads.keep, data) for data in images]
        for name in names:
            asyncio.get_running_loop().call_later(KEPT_S, self._uploads.drop, name)
        return JSONResponse(names)

    async def _progress(self, _: Request) -> Response:
        """Report no upload progress, since gradio would keep the reports forever."""
        return Response(media_type="text/event-stream")

    async def _uploaded(self, request: Request) -> Response:
        """Return an upload as a download, so that a browser does not open it as a page."""
        path = self._uploads.path_of(request.path_params["name"])
        if path is None:
            raise HTTPException(404)
        return FileResponse(
            path,
            media_type="application/octet-stream",
            headers={"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"},
        )


@dataclass(frozen=True)
class _ToGradio:
    """Forwards a request without the caller's query, cookies and custom headers.

    Without `Origin`, gradio does not let pages of other sites read the response.
    """

    gradio: ASGIApp
    query: str = ""
    body: bytes | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if not _HOST.fullmatch(headers.get("host", "")):
            raise HTTPException(400, "the Host header is not a host name or an address")
        passed = [(name, value) for name, value in scope["headers"] if name in _PASSED_ON]
        passed += [(b"host", headers["host"].encode("latin-1")), *_of_proxy(headers)]
        if self.body is not None:
            passed.append((b"content-type", b"application/json"))
            passed.append((b"content-length", str(len(self.body)).encode()))
            receive = _receive_first(self.body, receive)
        scope = {**scope, "query_string": self.query.encode(), "headers": passed}
        await self.gradio(scope, receive, send)


def _of_proxy(headers: Headers) -> list[tuple[bytes, bytes]]:
    """Return the address that the browser requested, as reported by a proxy, if it is valid."""
    found = []
    host = headers.get("x-forwarded-host", "").split(",")[0].strip()
    if _HOST.fullmatch(host):
        found.append((b"x-forwarded-host", host.encode("latin-1")))
    if headers.get("x-forwarded-proto", "").split(",")[0].strip() == "https":
        found.append((b"x-forwarded-proto", b"https"))
    return found


def _receive_first(body: bytes, receive: Receive) -> Receive:
    """Return a body, and then the disconnect message."""
    is_read = False

    async def receive_body() -> Message:
        nonlocal is_read
        if is_read:
            return await receive()
        is_read = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_body


async def _read_body(request: Request, max_bytes: int) -> bytes:
    """Read a body of bounded size in bounded time."""
    if announced_bytes(request.headers) > max_bytes:
        await discard(request.headers, request.receive)
        raise _too_large(max_bytes)
    chunks, num_bytes = [], 0
    try:
        async with asyncio.timeout(_BODY_S):
            async for chunk in request.stream():
                num_bytes += len(chunk)
                if num_bytes > max_bytes:
                    raise _too_large(max_bytes)
                chunks.append(chunk)
    except TimeoutError:
        raise HTTPException(408, f"the body did not arrive within {_BODY_S:g} s") from None
    return b"".join(chunks)


def _too_large(max_bytes: int) -> HTTPException:
    message = f"the body is larger than the {max_bytes:,} bytes accepted"
    return HTTPException(413, message, headers={"Connection": "close"})


def _refusal(status: int, message: str) -> Response:
    """Return an error in the form that gradio's JavaScript displays."""
    return JSONResponse({"detail": message}, status)
