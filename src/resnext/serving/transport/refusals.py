"""Answers that the application never sees: their problems, and how they are written."""

from __future__ import annotations

import json

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from resnext.serving.problems import Problem


def as_http(problem: Problem) -> bytes:
    """Return the whole answer, which ends the connection."""
    body = json.dumps(problem.content()).encode()
    head = f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close"
    return STATUS_LINE[problem.status] + head.encode() + b"\r\n\r\n" + body


def malformed(reason: str) -> Problem:
    """Return the problem of a request that cannot be parsed."""
    return Problem(400, "malformed_request", reason)


def head_too_slow(seconds: float) -> Problem:
    """Return the problem of a head that does not arrive."""
    return Problem(408, "head_timeout", f"the head did not arrive within {seconds:g} s")


def head_too_large(max_bytes: int) -> Problem:
    """Return the problem of headers, a chunk's extension or trailers that are too long."""
    return Problem(431, "head_too_large", f"the headers exceed {max_bytes // 1024} KiB")


def too_many_headers(max_headers: int) -> Problem:
    """Return the problem of headers that are too many."""
    return Problem(431, "head_too_large", f"the request has more than {max_headers} headers")


def address_too_long(max_bytes: int) -> Problem:
    """Return the problem of an address that is too long."""
    return Problem(414, "address_too_long", f"the address exceeds {max_bytes // 1024} KiB")
