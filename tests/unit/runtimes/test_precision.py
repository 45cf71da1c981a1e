"""The precision of the arithmetic is chosen when a file is opened, and recorded."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from bf16_stand_in import pretend_bf16
from tiny_runtimes import export

from resnext.errors import ConfigError
from resnext.runtimes import openvino_runtime
from resnext.runtimes.open import open_exported
from resnext.runtimes.spec import RuntimeName

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), np.uint8)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    for suffix in (".onnx", ".xml", ".torchscript"):
        export(folder / f"net{suffix}")
    return folder


@pytest.mark.parametrize("suffix", [".xml", ".onnx"])
def test_a_file_opened_in_bf16_says_so(
    files: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = pretend_bf16(monkeypatch)
    path = files / f"net{suffix}"
    usual, low = open_exported(path), open_exported(path, precision="bf16")
    assert (usual.spec.precision, low.spec.precision) == ("fp32", "bf16")
    assert low.runtime == "openvino"
    assert asked[-1] == "bf16"


@pytest.mark.skipif(
    not openvino_runtime.has_bf16(openvino_runtime._core()),
    reason="the processor has no bf16",
)
def test_bf16_rounds_to_eight_bits(files: Path) -> None:
    path = files / "net.xml"
    wanted = open_exported(path).run(IMAGES)
    found = open_exported(path, precision="bf16").run(IMAGES)
    assert 1e-6 < np.abs(found - wanted).max() / np.abs(wanted).max() < 2**-5


def test_fp32_stays_the_default_of_every_runtime(files: Path) -> None:
    found = [open_exported(files / f"net{suffix}") for suffix in (".onnx", ".xml", ".torchscript")]
    assert [one.spec.precision for one in found] == ["fp32"] * 3
    assert [one.runtime for one in found] == ["onnxruntime", "openvino", "torch"]
    first, *others = (one.run(IMAGES) for one in found)
    for logits in others:
        np.testing.assert_allclose(logits, first, atol=1e-5)


def test_openvino_opens_onnx_files_too(files: Path) -> None:
    found = open_exported(files / "net.onnx", runtime="openvino", threads=1)
    assert found.runtime == "openvino"
    wanted = open_exported(files / "net.onnx").run(IMAGES)
    np.testing.assert_allclose(found.run(IMAGES), wanted, atol=1e-5)


def test_a_processor_without_bf16_is_named(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino_runtime, "has_bf16", lambda _: False)
    monkeypatch.setattr(openvino_runtime, "cpu_name", lambda: "Abacus 3")
    with pytest.raises(ConfigError, match=r"Abacus 3 lacks avx512_bf16.*--precision fp32"):
        open_exported(files / "net.xml", precision="bf16")


@pytest.mark.parametrize(
    ("suffix", "runtime", "computes"),
    [(".onnx", "onnxruntime", "onnxruntime"), (".torchscript", None, "torch")],
)
def test_a_runtime_without_bf16_refuses_it(
    files: Path, suffix: str, runtime: RuntimeName | None, computes: str
) -> None:
    with pytest.raises(ConfigError, match=f"{computes} runs .* fp32 only; for bf16 export"):
        open_exported(files / f"net{suffix}", runtime=runtime, precision="bf16")


@pytest.mark.parametrize(
    ("suffix", "runtime"),
    [(".xml", "onnxruntime"), (".torchscript", "openvino"), (".onnx", "torch")],
)
def test_a_runtime_that_cannot_open_the_file_is_refused(
    files: Path, suffix: str, runtime: RuntimeName
) -> None:
    with pytest.raises(ConfigError, match=rf"runtime='{runtime}': .*net{suffix} is opened by"):
        open_exported(files / f"net{suffix}", runtime=runtime)


def test_openvino_reports_to_nobody_and_leaves_no_thread(files: Path) -> None:
    program = (
        "import sys, threading; from pathlib import Path; "
        "from resnext.runtimes.open import open_exported; "
        "open_exported(Path(sys.argv[1])); print([one.name for one in threading.enumerate()])"
    )
    command = [sys.executable, "-c", program, str(files / "net.xml")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['MainThread']"
