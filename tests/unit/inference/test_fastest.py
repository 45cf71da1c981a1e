"""The fastest runtime is taken, if it computes the same."""

from pathlib import Path
from typing import Any

import pytest
from bf16_stand_in import pretend_bf16
from tiny_runtimes import export

from resnext.errors import ConfigError
from resnext.inference import fastest
from resnext.inference.fastest import open_fastest
from resnext.runtimes import open as open_module


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(tmp_path_factory.mktemp("fastest") / "net.onnx")


def take(times: dict[str, list[float]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let candidates take these shares of the usual runtime's time, at batch 1 and 8."""
    monkeypatch.setattr(
        fastest, "_time", lambda candidates, *_: [times[fastest._name(one)] for one in candidates]
    )


USUAL = {"onnxruntime fp32": [1.0, 1.0]}


@pytest.mark.parametrize(
    ("openvino", "chosen"),
    [
        ([0.8, 0.9], "openvino"),
        ([1.2, 0.6], "openvino"),  # 0.85 together
        ([0.97, 0.97], "onnxruntime"),  # within the noise
        ([1.3, 0.9], "onnxruntime"),
    ],
)
def test_the_fastest_is_taken_if_it_gains_enough(
    file: Path, openvino: list[float], chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    take({**USUAL, "openvino fp32": openvino}, monkeypatch)
    choice = open_fastest(file)
    assert choice.exported.runtime == chosen
    assert choice.reason.startswith(f"runtime {chosen} fp32; times at batch 1 and 8: onnxruntime")
    assert f"openvino fp32 {openvino[0]:.2f} and {openvino[1]:.2f}" in choice.reason


def test_a_runtime_that_computes_something_else_is_left_out(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take({**USUAL, "openvino fp32": [0.1, 0.1]}, monkeypatch)
    monkeypatch.setattr(fastest, "FP32_TOLERANCE", 0.0)
    choice = open_fastest(file)
    assert choice.exported.runtime == "onnxruntime"
    assert "openvino fp32 left out (on 8 images" in choice.reason


def test_a_runtime_that_is_not_installed_is_left_out(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(USUAL, monkeypatch)
    real = open_module.open_exported

    def without(path: Path, **options: Any) -> Any:
        if options.get("runtime") == "openvino":
            raise ConfigError("openvino is not installed")
        return real(path, **options)

    monkeypatch.setattr(fastest, "open_exported", without)
    choice = open_fastest(file)
    assert choice.exported.runtime == "onnxruntime"
    assert "left out (openvino is not installed)" in choice.reason


def test_bf16_takes_part_only_where_it_was_asked_for(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_bf16(monkeypatch)
    times = {"openvino fp32": [0.9, 0.9], "openvino bf16": [0.5, 0.5]}
    take(USUAL | times, monkeypatch)
    assert open_fastest(file).exported.spec.precision == "fp32"
    choice = open_fastest(file, precision="bf16")
    assert (choice.exported.runtime, choice.exported.spec.precision) == ("openvino", "bf16")


def test_runtimes_are_timed_on_the_network_s_own_shape(file: Path) -> None:
    ticks = iter(range(10**6))
    choice = open_fastest(file, threads=1, batches=(1, 3), clock=lambda: float(next(ticks)))
    assert "times at batch 1 and 3: onnxruntime fp32 1.00 and 1.00, openvino" in choice.reason
    images = fastest.made_images(choice.exported, 3)
    assert [image.shape for image in images] == [(8, 8, 3)] * 3
