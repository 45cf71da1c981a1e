"""Joining a Ray cluster, for studies and for the service."""

from __future__ import annotations

import logging
import os
import re
import socket
from typing import Any

from resnext.errors import RunError
from resnext.extras import import_for

_SECONDS_TO_ANSWER = 10.0
_PATIENCE = {
    "RAY_raylet_start_wait_time_s": "180",
    "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "60",
}
"""How long Ray waits for its own processes. On a busy machine they take longer than its defaults,
and it kills and restarts them, over and over."""
_HOST_AND_PORT = re.compile(r"(?:ray://)?\[?(?P<host>[^/]+?)\]?:(?P<port>\d+)")


def join_cluster(address: str) -> Any:
    """Join a cluster, and return Ray.

    Args:
        address: Address of the cluster; `auto` finds the cluster of this machine, and `local`
            starts Ray on this machine while the process runs.

    Raises:
        ConfigError: Ray is not installed.
        RunError: There is no such cluster.
    """
    if address == "local":
        for name, value in _PATIENCE.items():
            os.environ.setdefault(name, value)  # read by Ray when it is imported
    ray = import_ray()
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    options |= {"include_dashboard": False} if address == "local" else {}
    try:
        _check_answers(address)
        ray.init(address=address, **options, ignore_reinit_error=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise RunError(
            f"--cluster {address}: no Ray cluster answers there ({error}); start one with "
            "`ray start --head`, or use --cluster local"
        ) from None
    return ray


def import_ray(part: str = "ray") -> Any:
    """Import Ray, or a part of it.

    Raises:
        ConfigError: It is not installed.
    """
    return import_for("--cluster", part)


def _check_answers(address: str) -> None:
    """Check quickly whether the address answers; Ray itself tries for two minutes.

    Raises:
        OSError: Nothing listens at an address of the form HOST:PORT.
    """
    found = _HOST_AND_PORT.fullmatch(address)
    if found is not None:
        endpoint = (found["host"], int(found["port"]))
        socket.create_connection(endpoint, timeout=_SECONDS_TO_ANSWER).close()
