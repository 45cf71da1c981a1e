"""OpenVINO, imported without its reporter of use."""

from __future__ import annotations

import importlib
import sys
from typing import Any


def import_openvino() -> Any:
    """Import OpenVINO.

    It would send a report of each import over the network, from a thread that waits for an answer
    and keeps a process from ending. Without the reporter's package it goes without; a value of
    Python takes a package whose entry is None for one that is not installed.

    Raises:
        ModuleNotFoundError: It is not installed.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # see above
    return importlib.import_module("openvino")
