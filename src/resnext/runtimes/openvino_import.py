"""Imports OpenVINO without its telemetry."""

from __future__ import annotations

import importlib
import sys
from typing import Any


def import_openvino() -> Any:
    """Import OpenVINO.

    Its telemetry would report each import over the network, from a thread that waits for an answer
    and delays the end of the process. OpenVINO works without the telemetry package; Python treats a
    package whose entry is None as not installed.

    Raises:
        ModuleNotFoundError: It is not installed.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # see above
    return importlib.import_module("openvino")
