"""Error responses below the application: their codes, and how they are written."""

from __future__ import annotations

import json

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from resnext.serving.problems import HttpError


def as_http(problem: HttpError) -> bytes:
    """Return the whole response, which closes the connection."""
    body = json.dumps(problem.content()).encode()
    head = f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close"
    return STATUS_LINE[problem.status] + head.encode() + b"\r\n\r\n" + body


def malformed(reason: str) -> HttpError:
    """Return the error for a request that cannot be parsed."""
    return HttpError(400, "malformed_request", reason)


def head_too_slow(seconds: float) -> HttpError:
    """Return the error for a head that does not arrive in time."""
    return HttpError(408, "head_timeout", f"the head did not arrive within {seconds:g} s")


def head_too_large(max_bytes: int) -> HttpError:
    """Return the error for headers, a chunk's extension or trailers that are too long."""
    return HttpError(431, "head_too_large", f"the headers exceed {max_bytes // 1024} KiB")


def too_many_headers(max_headers: int) -> HttpError:
    """Return the error for too many headers."""
    return HttpError(431, "head_too_large", f"the request has more than {max_headers} headers")


def address_too_long(max_bytes: int) -> HttpError:
    """Return the error for an address that is too long."""
    return HttpError(414, "address_too_long", f"the address exceeds {max_bytes // 1024} KiB")
