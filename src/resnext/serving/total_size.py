"""Limits the size of bodies on every path, including the page's."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from resnext.serving.body import announced_bytes, body_too_large, discard
from resnext.serving.limits import Limits
from resnext.serving.observe import record_of


class TotalSize:
    """Answers 413 as soon as the declared or received size of a body is too large."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        """Wrap an application."""
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        num_bytes, is_answered, is_refused = 0, False, False

        async def refuse() -> None:
            nonlocal is_refused
            is_refused = True
            record_of(scope).code = "body_too_large"
            await discard(Headers(scope=scope), receive)
            await body_too_large(self._limits).answer()(scope, receive, send)

        async def receive_counted() -> Message:
            nonlocal num_bytes
            message = await receive()
            num_bytes += len(message.get("body", b""))
            if num_bytes > self._limits.max_body_bytes and not is_answered and not is_refused:
                await refuse()
            # To the application the caller has disconnected: it stops reading, and may not answer.
            return {"type": "http.disconnect"} if is_refused else message

        async def send_once(message: Message) -> None:
            nonlocal is_answered
            is_answered = True
            if not is_refused:
                await send(message)

        if announced_bytes(Headers(scope=scope)) > self._limits.max_body_bytes:
            await refuse()
        else:
            await self._app(scope, receive_counted, send_once)
