"""The body of a request, read within bounds of size, memory and time."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Receive

from resnext.serving.admission import Ticket, upload_too_slow
from resnext.serving.limits import Limits
from resnext.serving.problems import HttpError

_MAX_DISCARDED = 64 * 2**20
_DISCARD_S = 2.0


async def read_body(request: Request, limits: Limits, ticket: Ticket) -> bytes:
    """Read a whole body; memory is taken for what has arrived.

    Args:
        request: The request, whose size `TotalSize` bounds.
        limits: Size and time.
        ticket: Holds the memory.

    Raises:
        HttpError: 408 too slow, 429 no memory left.
        ClientDisconnect: The caller has gone, or the body is too large.
    """
    body = bytearray()  # a list of parts would take 50 bytes for each, however small
    try:
        await _fill(body, request, limits, ticket)
    except BaseException:
        body.clear()  # the trace of the error keeps it while the rest is thrown away
        raise
    return bytes(body)


async def _fill(body: bytearray, request: Request, limits: Limits, ticket: Ticket) -> None:
    try:
        async with asyncio.timeout(limits.upload_timeout_s) as deadline:
            ticket.on_given_up = partial(_expire, deadline)
            async for part in request.stream():
                ticket.take_memory(len(part))
                body += part
    except TimeoutError:
        ticket.take_memory(0)  # says so if it was given up
        raise upload_too_slow(
            f"the body did not arrive within {limits.upload_timeout_s:g} s"
        ) from None


def _expire(deadline: asyncio.Timeout) -> None:
    if not deadline.expired():  # it cannot be changed any more
        deadline.reschedule(0)


async def discard(headers: Headers, receive: Receive) -> None:
    """Let the rest of a body come before it is refused, if it is not much.

    Who closes a connection on which bytes are still unread resets it, and the caller may then
    lose the answer. So a moderate rest is read and thrown away; for a large one we do not wait.

    Args:
        headers: Of the request. A caller that waits to be asked for the body (Expect) gets its
            answer at once.
        receive: Brings the rest.
    """
    if "expect" in headers or announced_bytes(headers) > _MAX_DISCARDED:
        return
    num_bytes = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DISCARD_S):
            while num_bytes <= _MAX_DISCARDED:
                message = await receive()
                num_bytes += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return


def announced_bytes(headers: Headers) -> int:
    """Return the length that a request tells; 0 where it tells none that can be read."""
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


def body_too_large(limits: Limits) -> HttpError:
    """Return the answer to a body that is too large; it ends the connection, not read on."""
    return HttpError(
        413,
        "body_too_large",
        f"the body is larger than the {limits.max_body_mib:g} MiB accepted",
        headers={"Connection": "close"},
    )
