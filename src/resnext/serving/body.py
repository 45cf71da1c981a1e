"""The body of a request, read within bounds of size, memory and time."""

from __future__ import annotations

import asyncio
import contextlib

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Receive

from resnext.serving.admission import Ticket
from resnext.serving.limits import Limits
from resnext.serving.problems import Problem

_MOST_DISCARDED = 64 * 2**20
_DISCARD_S = 2.0


async def read_body(request: Request, limits: Limits, ticket: Ticket) -> bytes:
    """Read a whole body.

    Memory for what its header announces is taken before anything is read; a body that
    announces nothing (chunked) is counted as it comes.

    Args:
        request: The request, whose size `TotalSize` bounds.
        limits: Size and time.
        ticket: Holds the memory.

    Raises:
        Problem: 408 too slow, 429 no memory left.
        ClientDisconnect: The caller has gone, or the body is too large.
    """
    announced = announced_bytes(request.headers)
    ticket.take_memory(announced)
    held, chunks, num_bytes = announced, [], 0
    try:
        async with asyncio.timeout(limits.upload_timeout_s):
            async for chunk in request.stream():
                num_bytes += len(chunk)
                if num_bytes > held:
                    ticket.take_memory(num_bytes - held)
                    held = num_bytes
                chunks.append(chunk)
    except TimeoutError:
        raise Problem(
            408,
            "upload_timeout",
            f"the body did not arrive within {limits.upload_timeout_s:g} s",
            headers={"Connection": "close"},
        ) from None
    return b"".join(chunks)


async def discard(headers: Headers, receive: Receive) -> None:
    """Let the rest of a body come before it is refused, if it is not much.

    Who closes a connection on which bytes are still unread resets it, and the caller may then
    lose the answer. So a moderate rest is read and thrown away; for a large one we do not wait.

    Args:
        headers: Of the request. A caller that waits to be asked for the body (Expect) gets its
            answer at once.
        receive: Brings the rest.
    """
    if "expect" in headers or announced_bytes(headers) > _MOST_DISCARDED:
        return
    num_bytes = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DISCARD_S):
            while num_bytes <= _MOST_DISCARDED:
                message = await receive()
                num_bytes += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return


def announced_bytes(headers: Headers) -> int:
    """Return the length that a request tells; 0 where it tells none that can be read."""
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


def body_too_large(limits: Limits) -> Problem:
    """Return the answer to a body that is too large; it ends the connection, not read on."""
    return Problem(
        413,
        "body_too_large",
        f"the body is larger than the {limits.max_body_mib:g} MiB accepted",
        headers={"Connection": "close"},
    )
