"""Reads the body of a request within limits of size, memory and time."""

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
    """Read a whole body, and take memory for the bytes received.

    Args:
        request: The request, whose size `TotalSize` limits.
        limits: Limits of size and time.
        ticket: Takes the memory.

    Raises:
        HttpError: 408 if it is too slow, 415 if it is compressed, 429 if no memory is free.
        ClientDisconnect: The caller has disconnected, or the body is too large.
    """
    _refuse_compressed(request.headers)
    body = bytearray()  # a list would add 50 bytes for each part, however small
    try:
        await _fill(body, request, limits, ticket)
    except BaseException:
        body.clear()  # the traceback keeps it alive while the rest is discarded
        raise
    return bytes(body)


def _refuse_compressed(headers: Headers) -> None:
    """Refuse a body with a content encoding: unpacked, it could be of any size."""
    codings = ",".join(headers.getlist("content-encoding")).split(",")
    if any(coding.strip().lower() not in ("", "identity") for coding in codings):
        raise HttpError(
            415,
            "unsupported_content_encoding",
            "compressed bodies are not supported; send it uncompressed",
            headers={"Accept-Encoding": "identity"},
        )


async def _fill(body: bytearray, request: Request, limits: Limits, ticket: Ticket) -> None:
    try:
        async with asyncio.timeout(limits.upload_timeout_s) as deadline:
            ticket.on_given_up = partial(_expire, deadline)
            async for part in request.stream():
                ticket.take_memory(len(part))
                body += part
    except TimeoutError:
        ticket.take_memory(0)  # raises if it was dropped
        raise upload_too_slow(
            f"the body did not arrive within {limits.upload_timeout_s:g} s"
        ) from None


def _expire(deadline: asyncio.Timeout) -> None:
    if not deadline.expired():  # it can no longer be changed
        deadline.reschedule(0)


async def discard(headers: Headers, receive: Receive) -> None:
    """Read and discard a moderate rest of a body before it is refused.

    Closing a connection with unread bytes resets it, and the caller may then lose the answer. A
    large rest is not read.

    Args:
        headers: Headers of the request. A caller that sent `Expect` and waits to send the body
            gets its answer at once.
        receive: Receives the rest.
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
    """Return the declared length of a body; 0 if it is missing or invalid."""
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


def body_too_large(limits: Limits) -> HttpError:
    """Return the answer to a body that is too large; it closes the connection."""
    return HttpError(
        413,
        "body_too_large",
        f"the body is larger than the {limits.max_body_mib:g} MiB accepted",
        headers={"Connection": "close"},
    )
