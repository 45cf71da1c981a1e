"""What bf16 changes is measured, said and bounded."""

from pathlib import Path

import pytest
from bf16_stand_in import pretend_bf16
from tiny_networks import tiny

from resnext.data.config import DataConfig
from resnext.errors import ConfigError, ExportError
from resnext.export import export_bf16 as export_bf16_module
from resnext.export.export_bf16 import export_bf16
from resnext.export.options import ExportOptions
from resnext.inference import parity
from resnext.model.card import ModelCard
from resnext.model.trained import TrainedNetwork
from resnext.runtimes import openvino_runtime
from resnext.runtimes.open import open_exported

pytestmark = pytest.mark.usefixtures("remembered_traces")

DIGITS = DataConfig(name="digits")
OPENVINO = ExportOptions(to="openvino")


@pytest.fixture
def digits() -> TrainedNetwork:
    card = ModelCard(
        classes=tuple("0123456789"), image_size_px=8, resize_px=None, mean=(0.3,), std=(0.37,)
    )
    return tiny(card, in_channels=1, num_classes=10)


@pytest.mark.slow
def test_a_file_for_bf16_says_what_it_costs_and_is_opened_so(
    digits: TrainedNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = pretend_bf16(monkeypatch)
    report = export_bf16(digits, tmp_path / "net.xml", OPENVINO, DIGITS)
    assert report.quantised is not None
    assert report.quantised["loss"] == 0  # the stand-in computes in fp32
    assert report.parity.source == "digits, val split"
    assert open_exported(report.paths[0]).spec.precision == "bf16"
    assert asked[-1] == "bf16"
    assert open_exported(report.paths[0], precision="fp32").spec.precision == "fp32"


@pytest.mark.slow
def test_too_much_is_refused_and_nothing_kept(
    digits: TrainedNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend_bf16(monkeypatch)
    with pytest.raises(
        ExportError,
        match=r"kept: bf16 makes the top-1 .* worse by 0.00 points, more than -1;",
    ):
        export_bf16(digits, tmp_path / "net.xml", OPENVINO, DIGITS, max_loss=-1.0)
    monkeypatch.setattr(parity, "BF16_TOLERANCE", -1.0)
    with pytest.raises(ConfigError, match="was not kept: bf16 changes its answers too much"):
        export_bf16(digits, tmp_path / "net.xml", OPENVINO, DIGITS)
    assert not list(tmp_path.iterdir())


def test_bf16_is_for_openvino(digits: TrainedNetwork, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="use to='openvino'"):
        export_bf16(digits, tmp_path / "net.onnx", ExportOptions(), DIGITS)


def test_a_processor_without_bf16_is_told_before_anything_is_written(
    digits: TrainedNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino_runtime, "has_bf16", lambda _: False)
    monkeypatch.setattr(export_bf16_module, "write_file", pytest.fail)
    dest = tmp_path / "new/net.xml"
    with pytest.raises(ConfigError, match=f"^{dest}: cannot run in bf16 here"):
        export_bf16(digits, dest, OPENVINO, DIGITS)
    assert not list(tmp_path.iterdir())
