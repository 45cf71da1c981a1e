"""Checks within a second, before torch is imported, whether a server can be reached."""

from __future__ import annotations

import queue
import socket
import threading
import urllib.request
from dataclasses import dataclass
from urllib.parse import urlsplit

from resnext.untrusted.text import printable

WAIT_S = 0.7
"""Nearby servers answer in a tenth of this."""

_TIMEOUT_S = 10.0
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Silence:
    """Why no connection was made.

    Attributes:
        reason: Description.
        is_final: Whether the system refused it; otherwise there was no answer yet.
    """

    reason: str
    is_final: bool


def reach(address: str, wait_s: float = WAIT_S) -> Silence | None:
    """Try to connect to the server of a web address, or to the proxy in front of it.

    Args:
        address: The web address; no data is sent.
        wait_s: Maximum wait in seconds.

    Returns:
        None if there is a connection, otherwise why not.
    """
    outcome: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    endpoint = _endpoint(address)
    # A name server that does not answer cannot be waited for with a limit but from outside.
    threading.Thread(target=_connect, args=(endpoint, outcome), daemon=True).start()
    try:
        reason = outcome.get(timeout=wait_s)
    except queue.Empty:
        return Silence(f"{endpoint[0]} does not answer", is_final=False)
    return None if reason is None else Silence(f"{endpoint[0]}: {reason}", is_final=True)


def _endpoint(address: str) -> tuple[str, int]:
    """Return the host and port to connect to."""
    parts = urlsplit(address)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy and not urllib.request.proxy_bypass(parts.hostname or ""):
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    return parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 443)


def _connect(endpoint: tuple[str, int], outcome: queue.SimpleQueue[str | None]) -> None:
    try:
        socket.create_connection(endpoint, timeout=_TIMEOUT_S).close()
    except OSError as error:
        outcome.put(printable(error.strerror or str(error)))
    except Exception as error:  # a name that no encoding takes
        outcome.put(type(error).__name__)
    else:
        outcome.put(None)
