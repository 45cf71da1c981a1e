"""ONNX Runtime on a GPU, with a fake in its place: what it is asked, and what it cannot do."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from resnext.benchmark.gpu_session import open_on_gpu
from resnext.errors import ConfigError

IMAGES = np.zeros((2, 3, 8, 8), np.float32)


class FakeBinding:
    def __init__(self, calls: list[Any]) -> None:
        self._calls = calls

    def bind_ortvalue_input(self, name: str, value: object) -> None:
        self._calls.append(("input", name, value))

    def bind_output(self, name: str, place: str, index: int) -> None:
        self._calls.append(("output", name, place, index))

    def synchronize_outputs(self) -> None:
        self._calls.append("wait")

    def get_outputs(self) -> list[str]:
        return ["logits"]


def _install(
    monkeypatch: pytest.MonkeyPatch, *, available: list[str], started: list[str]
) -> list[Any]:
    """Put a fake in place of onnxruntime, and return what it is asked."""
    calls: list[Any] = []

    class FakeSession:
        def __init__(self, path: str, options: object, providers: list[Any]) -> None:
            del options
            calls.append((path, *providers))

        def get_providers(self) -> list[str]:
            return started

        def io_binding(self) -> FakeBinding:
            return FakeBinding(calls)

        def get_inputs(self) -> list[Any]:
            return [SimpleNamespace(name="images")]

        def get_outputs(self) -> list[Any]:
            return [SimpleNamespace(name="logits")]

        def run_with_iobinding(self, binding: object) -> None:
            del binding
            calls.append("run")

    fake = SimpleNamespace(
        __version__="1.0",
        get_available_providers=lambda: available,
        SessionOptions=SimpleNamespace,
        InferenceSession=FakeSession,
        OrtValue=SimpleNamespace(ortvalue_from_numpy=lambda _, place, index: (place, index)),
    )
    monkeypatch.setitem(sys.modules, "onnxruntime", fake)
    return calls


def test_images_lie_on_the_gpu_and_each_run_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = "CUDAExecutionProvider"
    calls = _install(monkeypatch, available=[provider], started=[provider, "CPU"])
    infer = open_on_gpu(Path("net.onnx"), "onnxruntime", IMAGES, index=1)
    (path, (asked, options)), *bound = calls
    assert (path, asked) == ("net.onnx", provider)
    assert options["device_id"] == 1
    assert options["use_tf32"] == 0
    assert bound == [("input", "images", ("cuda", 1)), ("output", "logits", "cuda", 1)]
    calls.clear()
    assert infer() == "logits"
    assert calls == ["run", "wait"]


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_tensorrt_is_told_the_precision(monkeypatch: pytest.MonkeyPatch, precision: Any) -> None:
    provider = "TensorrtExecutionProvider"
    calls = _install(monkeypatch, available=[provider], started=[provider])
    open_on_gpu(Path("net.onnx"), "tensorrt", IMAGES, precision=precision)
    options = calls[0][1][1]
    assert options["trt_fp16_enable"] == (precision == "fp16")
    assert options["trt_bf16_enable"] == (precision == "bf16")


def test_a_build_without_the_gpu_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, available=["CPUExecutionProvider"], started=[])
    with pytest.raises(ConfigError, match="onnxruntime-gpu"):
        open_on_gpu(Path("net.onnx"), "onnxruntime", IMAGES)


def test_a_silent_fall_back_to_the_cpu_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    available = ["CUDAExecutionProvider"]
    _install(monkeypatch, available=available, started=["CPUExecutionProvider"])
    with pytest.raises(ConfigError, match="did not start"):
        open_on_gpu(Path("net.onnx"), "onnxruntime", IMAGES)
