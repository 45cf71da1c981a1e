"""Every format with every input computes what PyTorch computes, on real images."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from tiny_networks import tiny
from torch import nn

from resnext.errors import CheckpointError, ConfigError, ExportError
from resnext.export import export as export_file
from resnext.export.export import SUFFIX, export_model
from resnext.export.options import ExportOptions
from resnext.export.parity import TOLERANCE, check_parity
from resnext.inference.load import load
from resnext.runtimes.open import open_exported
from resnext.runtimes.spec import Format

pytestmark = pytest.mark.usefixtures("remembered_traces")

FORMATS: list[Format] = ["onnx", "openvino", "pt2", "torchscript"]


def pixels(num: int, side: int = 16, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (num, side, side, channels), dtype=np.uint8)


@pytest.mark.slow
@pytest.mark.parametrize("to", FORMATS)
def test_every_format_holds_the_network_its_card_and_its_input(to: Format, tmp_path: Path) -> None:
    loaded = tiny()
    path = tmp_path / f"net{SUFFIX[to]}"
    report = export_model(loaded, path, ExportOptions(to=to))
    assert report.paths[0] == path
    assert report.num_bytes == sum(file.stat().st_size for file in tmp_path.iterdir())
    assert report.parity.num_images == 32
    assert report.parity.top1_agreement == 100.0
    assert report.parity.largest_difference <= TOLERANCE * max(report.parity.largest_logit, 1)

    exported = open_exported(path)
    assert (exported.config, exported.card) == (loaded.config, loaded.card)
    assert exported.spec.size_px == 16
    for num in (1, 3):  # any number of images at once
        images = torch.from_numpy(pixels(num)).permute(0, 3, 1, 2) / 255
        mean, std = (torch.tensor(v).view(3, 1, 1) for v in (loaded.card.mean, loaded.card.std))
        with torch.no_grad():
            wanted = loaded.module((images - mean) / std)
        np.testing.assert_allclose(exported.run(pixels(num)), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("to", FORMATS)
def test_other_sizes_are_taken_only_where_asked_for(to: Format, tmp_path: Path) -> None:
    path = tmp_path / f"net{SUFFIX[to]}"
    export_model(tiny(), path, ExportOptions(to=to, input="normalised", dynamic_size=True))
    exported = open_exported(path)
    for side in (16, 24):
        assert exported.run(np.zeros((2, 3, side, side), np.float32)).shape == (2, 5)
    export_model(tiny(), path, ExportOptions(to=to))
    with pytest.raises(ConfigError, match=r"takes uint8 batch x 16 x 16 x 3, but got uint8 1x24"):
        open_exported(path).run(pixels(1, 24))


@pytest.mark.slow
def test_a_whole_image_goes_in_where_the_graph_resizes(tmp_path: Path) -> None:
    loaded = tiny()
    report = export_model(loaded, tmp_path / "net.onnx", ExportOptions(input="image"))
    assert report.parity.top1_agreement == 100.0  # windows of photographs, each of its own size
    exported = open_exported(tmp_path / "net.onnx")
    assert exported.run(pixels(1, 57)).shape == (1, 5)
    with pytest.raises(ConfigError, match="takes uint8 1 x height x width x 3"):
        exported.run(pixels(2, 57))


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"form": "a"},
        {"form": "b"},
        {"preactivation": True, "shortcut": "A"},
        {"shortcut": "none"},
        {"in_channels": 1},
    ],
    ids=str,
)
def test_every_kind_of_network_is_exported(changes: dict[str, Any], tmp_path: Path) -> None:
    report = export_model(tiny(**changes), tmp_path / "net.onnx")
    assert report.parity.top1_agreement == 100.0


@pytest.mark.slow
@pytest.mark.parametrize("ndim", [1, 3])
def test_signals_and_volumes_are_exported_with_noise_to_compare_on(
    ndim: int, tmp_path: Path
) -> None:
    loaded = tiny(ndim=ndim)
    report = export_model(loaded, tmp_path / "net.onnx", ExportOptions(input="normalised"))
    assert report.parity.source == "noise, since it takes no images"
    exported = open_exported(tmp_path / "net.onnx")
    assert exported.run(np.zeros((2, 3, *(16,) * ndim), np.float32)).shape == (2, 5)
    with pytest.raises(ConfigError, match="the network does not take image files"):
        export_model(loaded, tmp_path / "net.onnx", ExportOptions(input="image"))


@pytest.mark.slow
def test_batch_norm_is_folded_and_narrow_groups_are_merged(tmp_path: Path) -> None:
    export_model(tiny(cardinality=8), tmp_path / "net.onnx")
    nodes = onnx.load(tmp_path / "net.onnx").graph.node
    assert not [node for node in nodes if node.op_type == "BatchNormalization"]
    groups = [a.i for node in nodes for a in node.attribute if a.name == "group"]
    # 8 groups of 2 channels are one block of 16, 8 of 4 in the second stage are two
    assert max(groups) == 2


@pytest.mark.slow
def test_the_opset_is_the_one_asked_for(tmp_path: Path) -> None:
    for opset in (18, 23):
        report = export_model(tiny(), tmp_path / "net.onnx", ExportOptions(opset=opset))
        (written,) = onnx.load(tmp_path / "net.onnx").opset_import
        assert written.version == report.spec.opset == opset


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"opset": 11}, "accepted are 18 to 23"),
        ({"to": "pt2", "opset": 20}, "pt2 has no opsets"),
        ({"to": "openvino", "input": "image"}, "resizing is exact only in ONNX"),
        ({"input": "image", "dynamic_size": True}, "already takes any size"),
        ({"size_px": 0}, "size_px=0"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    options: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        ExportOptions(**options)


def test_the_name_must_end_as_the_format_does(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"a file for onnx must end in \.onnx"):
        export_model(tiny(), tmp_path / "net.pt")


@pytest.mark.slow
def test_an_export_that_computes_something_else_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = tiny()
    path = tmp_path / "net.onnx"
    path.write_text("the file before")

    def spoil(_given: object, _to: object) -> nn.Module:
        network: nn.Module = tiny().module
        with torch.no_grad():
            network.fc.bias[0] += 0.01  # type: ignore[union-attr, operator, index]
        return network

    monkeypatch.setattr(export_file, "simplify", spoil)
    with pytest.raises(ExportError, match=r"was not kept: on 32 images its logits differ .* 0\.01"):
        export_model(loaded, path)
    assert path.read_text() == "the file before"
    assert [file.name for file in tmp_path.iterdir()] == ["net.onnx"]


@pytest.mark.slow
def test_not_a_number_is_no_parity(tmp_path: Path) -> None:
    report = export_model(tiny(), tmp_path / "net.onnx")
    nan = type(report.parity)(1, "", float("nan"), 1.0, 100.0)
    with pytest.raises(ExportError, match="was not kept"):
        check_parity(nan, "net.onnx")


@pytest.mark.slow
@pytest.mark.parametrize("to", FORMATS)
def test_a_damaged_file_is_refused_in_one_line(to: Format, tmp_path: Path) -> None:
    path = tmp_path / f"net{SUFFIX[to]}"
    export_model(tiny(), path, ExportOptions(to=to))
    whole = path.read_bytes()
    for part in (b"", whole[: len(whole) // 2], b"not a network"):
        path.write_bytes(part)
        with pytest.raises(CheckpointError, match=str(path)):
            open_exported(path)


@pytest.mark.slow
def test_a_foreign_file_is_told_from_ours(tmp_path: Path) -> None:
    path = tmp_path / "foreign.onnx"
    export_model(tiny(), path)
    model = onnx.load(path)
    del model.metadata_props[:]
    onnx.save(model, path)
    with pytest.raises(CheckpointError, match="was not written by `resnext export`"):
        open_exported(path)
    onnx.helper.set_model_props(model, {"resnext": json.dumps({"config": {}})})
    onnx.save(model, path)
    with pytest.raises(CheckpointError, match="is not of this version"):
        open_exported(path)


def test_a_file_that_is_not_there_or_no_export_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="there is no such file"):
        open_exported(tmp_path / "net.onnx")
    with pytest.raises(ConfigError, match=r"exported files end in \.onnx"):
        open_exported(tmp_path / "net.bin")


def test_a_folder_that_cannot_be_written_is_named() -> None:
    with pytest.raises(ExportError, match="cannot be written"):
        export_model(tiny(), Path("/proc/nowhere/net.onnx"))


@pytest.mark.slow
def test_evaluation_opens_an_export_like_a_run(tmp_path: Path) -> None:
    loaded = tiny()
    for kind in ("pixels", "normalised"):
        export_model(loaded, tmp_path / "net.onnx", ExportOptions(input=kind))
        opened = load(tmp_path / "net.onnx")
        assert opened.classes == loaded.classes
        grid = torch.randint(0, 256, (2, 3, 16, 16)) / 255
        mean, std = (torch.tensor(v).view(3, 1, 1) for v in (loaded.card.mean, loaded.card.std))
        with torch.no_grad():
            wanted = loaded.module((grid - mean) / std)
        torch.testing.assert_close(opened.module((grid - mean) / std), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_an_onnx_file_beside_an_openvino_file_of_the_same_name_stays(tmp_path: Path) -> None:
    loaded = tiny()
    export_model(loaded, tmp_path / "net.onnx")
    options = ExportOptions(to="openvino")
    export_file.write_file(loaded, tmp_path / "net.xml", export_file.spec_of(loaded, options))
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names == ["net.bin", "net.onnx", "net.xml"]
