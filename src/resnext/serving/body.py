"""The body of a request, read within bounds of size, memory and time."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.requests import Request

from resnext.serving.admission import Ticket
from resnext.serving.limits import Limits
from resnext.serving.problems import Problem


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
