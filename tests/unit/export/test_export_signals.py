"""Networks for time series and volumes as files of each format."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from made_series import write_volumes, write_waves
from tiny_networks import tiny, tiny_signals

from resnext.data.config import DataConfig
from resnext.data.signals.loaders import normalise_signals
from resnext.errors import ConfigError, DataError
from resnext.export.export import NUM_COMPARED, SUFFIX, export_model, write_file
from resnext.export.export_int8 import export_int8
from resnext.export.options import ExportOptions
from resnext.export.samples import data_samples
from resnext.export.signals import SignalSource
from resnext.inference.load import load
from resnext.inference.signals import SignalPredictor
from resnext.model.signal import SignalKind
from resnext.model.trained import TrainedNetwork
from resnext.runtimes.exported import Exported
from resnext.runtimes.open import open_exported
from resnext.runtimes.spec import ExportSpec, Format

CASES: list[tuple[SignalKind, Format]] = [
    ("series", "onnx"),
    ("series", "openvino"),
    ("series", "pt2"),
    ("series", "torchscript"),
    ("volume", "onnx"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "to"), CASES)
def test_the_graph_normalises_values_and_knows_gaps(
    kind: SignalKind, to: Format, tmp_path: Path
) -> None:
    loaded = tiny_signals(kind)
    path = tmp_path / f"net{SUFFIX[to]}"
    report = export_model(loaded, path, ExportOptions(to=to))
    assert report.spec.input == "values"
    assert report.parity.noun == ("series" if kind == "series" else "volumes")
    assert report.parity.num_images == NUM_COMPARED
    signal = loaded.card.signal
    assert signal is not None
    values_bcx = 4 * torch.randn(3, 2, *(16,) * signal.ndim, generator=torch.manual_seed(1))
    values_bcx[0, 1, 4:9] = torch.nan
    mean, std = ((torch.tensor(v).view(2, *(1,) * signal.ndim)) for v in (signal.mean, signal.std))
    with torch.no_grad():
        wanted_bk = loaded.module(((values_bcx - mean) / std).nan_to_num(nan=0.0))
    exported = open_exported(path)
    np.testing.assert_allclose(exported.run(values_bcx.numpy()), wanted_bk, rtol=1e-4, atol=1e-5)
    with pytest.raises(ConfigError, match="takes float32 batch x 2 x 16"):
        exported.run(values_bcx.numpy()[..., :8])

    opened = load(path)  # takes normalised signals, as in PyTorch
    with torch.no_grad():
        found_bk = opened(normalise_signals(values_bcx, signal))
    np.testing.assert_allclose(found_bk, wanted_bk, rtol=1e-4, atol=1e-5)
    logits_bk = SignalPredictor(opened).logits(values_bcx)
    np.testing.assert_allclose(logits_bk, wanted_bk, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_normalisation_may_be_left_to_the_caller(tmp_path: Path) -> None:
    loaded = tiny_signals()
    report = export_model(loaded, tmp_path / "net.onnx", ExportOptions(input="normalised"))
    assert report.spec.input == "normalised"
    normal_bcl = torch.randn(2, 2, 16, generator=torch.manual_seed(1))
    with torch.no_grad():
        wanted_bk = loaded.module(normal_bcl)
    found_bk = open_exported(tmp_path / "net.onnx").run(normal_bcl.numpy())
    np.testing.assert_allclose(found_bk, wanted_bk, rtol=1e-4, atol=1e-5)


def test_the_comparison_is_on_signals_of_the_set_at_the_size_of_the_network(tmp_path: Path) -> None:
    data = DataConfig(name="series", root=write_waves(tmp_path, length=40))
    loaded = _two_classes()
    source = data_samples(data, "val", loaded, 5)
    assert source.name == "Waves_TRAIN, val split"
    assert isinstance(source, SignalSource)
    (batch_bcl,) = list(source.batches)
    assert batch_bcl.shape == (5, 1, 16)
    cubes = DataConfig(name="volume", root=write_volumes(tmp_path / "cubes.npz"))
    with pytest.raises(ConfigError, match="the network takes a series of 1 x 16"):
        data_samples(cubes, "val", loaded, 5)
    with pytest.raises(DataError, match="cannot read"):
        data_samples(DataConfig(name="series", root=tmp_path / "none.ts"), "val", loaded, 5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input": "pixels"}, "input='pixels' is for images"),
        ({"input": "image"}, "export input='values' or 'normalised'"),
        ({"size_px": 20}, "size and dynamic_size are for images"),
        ({"dynamic_size": True}, "size and dynamic_size are for images"),
    ],
)
def test_options_for_images_are_refused(
    options: dict[str, object], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        export_model(tiny_signals(), tmp_path / "net.onnx", ExportOptions(**options))


def test_values_are_for_signals(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="input='values' is for signals"):
        export_model(tiny(), tmp_path / "net.onnx", ExportOptions(input="values"))


@pytest.mark.slow
def test_int8_is_calibrated_and_measured_on_series(tmp_path: Path) -> None:
    data = DataConfig(name="series", root=write_waves(tmp_path))
    loaded = _two_classes()
    report = export_int8(loaded, tmp_path / "net.onnx", ExportOptions(), data, max_loss=100)
    assert report.quantised is not None
    assert report.quantised["num_calibration_images"] == 24
    exported = open_exported(tmp_path / "net.onnx")
    assert isinstance(exported, Exported)
    assert exported.spec.precision == "int8"
    assert exported.run(np.zeros((2, 1, 16), np.float32)).shape == (2, 2)


def _two_classes() -> TrainedNetwork:
    loaded = tiny_signals(channels=1, num_classes=2)
    return replace(loaded, card=loaded.card.replace(classes=("slow", "fast")))


def test_a_file_is_described_by_its_signals(tmp_path: Path) -> None:
    loaded = tiny_signals()
    spec = ExportSpec(format="torchscript", input="values", size_px=16)
    write_file(loaded, tmp_path / "net.torchscript", spec)
    exported = open_exported(tmp_path / "net.torchscript")
    assert exported.card.signal == loaded.card.signal
    assert exported.wanted == "float32 batch x 2 x 16"
