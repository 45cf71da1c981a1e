"""An optional API key that callers must send."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from pathlib import Path

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from resnext.errors import ConfigError
from resnext.serving.observe import record_of
from resnext.serving.problems import HttpError

VARIABLE = "RESNEXT_API_KEY"
_SHORTEST = 16
OPEN_PATHS = frozenset({"/healthz", "/readyz"})
"""Paths for orchestrators, which have no key."""


def read_key(path: Path | None) -> str | None:
    """Read the key from a file, else from the environment.

    Args:
        path: A file that contains only the key.

    Returns:
        The key, or None if none is set.

    Raises:
        ConfigError: The file cannot be read, or the key is too short to protect anything.
    """
    if path is None:
        key, where = os.environ.get(VARIABLE), VARIABLE
    else:
        where = f"--api-key-file {path}"
        try:
            key = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeError) as error:
            raise ConfigError(f"{where}: cannot be read ({error})") from None
    if key is None:
        return None
    if len(key) < _SHORTEST or not key.isascii() or not key.isprintable():
        raise ConfigError(
            f"{where}: a key has at least {_SHORTEST} printable ASCII characters; create one with "
            "`python -c 'import secrets; print(secrets.token_urlsafe())'`"
        )
    return key


class RequireKey:
    """Refuses requests without the key.

    The key can be sent as `Authorization: Bearer KEY`, as `X-API-Key: KEY`, or as the password
    of HTTP Basic with any user name, which browsers can send.
    """

    def __init__(self, app: ASGIApp, key: str) -> None:
        """Wrap an application."""
        self._app = app
        self._digest = _digest(key.encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] == "lifespan" or scope.get("path") in OPEN_PATHS:
            await self._app(scope, receive, send)
            return
        shown = _shown(Headers(scope=scope))
        # Constant-time comparison of digests of equal length: the time reveals nothing.
        if hmac.compare_digest(_digest(shown), self._digest):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            record_of(scope).code = "unauthorized"
            problem = HttpError(
                401,
                "unauthorized",
                "an API key is required: send the header `Authorization: Bearer KEY`",
                headers={"WWW-Authenticate": 'Basic realm="resnext", charset="UTF-8"'},
            )
            await problem.answer()(scope, receive, send)


def _shown(headers: Headers) -> bytes:
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip().encode("latin-1")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).partition(b":")[2]
        except ValueError:
            return b""
    return headers.get("x-api-key", "").encode("latin-1")


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()
