"""A processor with bf16, for tests on one without: OpenVINO is asked for bf16 and computes fp32.

Its imitation of bf16 there damages the memory of the process.
"""

from __future__ import annotations

from typing import Any

import pytest

from resnext.runtimes import openvino_runtime


def pretend_bf16(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let files be opened in bf16, and return the list of the precisions that are asked for."""
    asked: list[str] = []
    real = openvino_runtime._core()

    class Core:
        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

        def compile_model(self, network: Any, device: str, settings: dict[str, str]) -> Any:
            asked.append(settings["INFERENCE_PRECISION_HINT"])
            return real.compile_model(
                network, device, settings | {"INFERENCE_PRECISION_HINT": "f32"}
            )

    monkeypatch.setattr(openvino_runtime, "_core", Core)
    monkeypatch.setattr(openvino_runtime, "has_bf16", lambda _: True)
    return asked
