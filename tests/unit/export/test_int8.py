"""Int8 on the real digits: what is lost is measured, and too much is refused."""

from __future__ import annotations

import weakref
from functools import partial
from pathlib import Path

import onnx
import pytest
import torch
from PIL import Image
from tiny_networks import tiny, tiny_config

from resnext.data.config import DataConfig
from resnext.data.sets.choose_split import SplitChoice
from resnext.data.sets.load import load_data
from resnext.data.split import ImageReader
from resnext.errors import ConfigError, DataError, ExportError
from resnext.evaluation.run import EvaluationOptions
from resnext.export.export import spec_of
from resnext.export.export_int8 import export_int8
from resnext.export.images import as_batches, data_images, sample_photos
from resnext.export.int8 import _Reader
from resnext.export.options import ExportOptions
from resnext.export.samples import data_samples
from resnext.model.card import ModelCard
from resnext.model.create import create_model
from resnext.model.trained import TrainedNetwork
from resnext.runtimes.open import open_exported
from resnext.runtimes.spec import Input

DIGITS = DataConfig(name="digits")


@pytest.fixture(scope="module")
def digits() -> TrainedNetwork:
    """Train a tiny network on the digits for a few seconds."""
    torch.manual_seed(0)
    loaded = load_data(DIGITS)
    info, train = loaded.info, loaded.train
    card = ModelCard(
        classes=info.classes, image_size_px=8, resize_px=None, mean=info.mean, std=info.std
    )
    config = tiny_config(
        in_channels=1, num_classes=10, cardinality=8, bottleneck_width=4, stage_widths=(64, 128)
    )
    module = create_model(config)
    assert train.stored_nhwc is not None
    images = (train.stored_nhwc.permute(0, 3, 1, 2) / 255 - info.mean[0]) / info.std[0]
    optimizer = torch.optim.SGD(module.parameters(), lr=0.05, momentum=0.9)
    for step in range(120):
        chosen = torch.arange(step * 64, step * 64 + 64) % len(images)
        loss = torch.nn.functional.cross_entropy(module(images[chosen]), train.targets_n[chosen])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return TrainedNetwork(module.eval(), config, card)


@pytest.mark.slow
def test_the_int8_file_is_smaller_and_says_what_it_costs(
    digits: TrainedNetwork, tmp_path: Path
) -> None:
    path = tmp_path / "net.onnx"
    report = export_int8(
        digits, path, ExportOptions(), DIGITS, num_calibration_images=64, max_loss=5.0
    )
    assert report.quantised is not None
    assert report.spec.precision == "int8"
    assert report.quantised["fp32_top1_error"] < 20  # it has learnt something
    assert report.quantised["loss"] == pytest.approx(
        report.quantised["top1_error"] - report.quantised["fp32_top1_error"]
    )
    assert report.quantised["num_bytes"] < report.quantised["fp32_num_bytes"]
    assert report.quantised["num_calibration_images"] == 64
    exported = open_exported(path)
    assert exported.card.metrics["top1_error"] == report.quantised["top1_error"]
    assert "QuantizeLinear" in {node.op_type for node in onnx.load(path).graph.node}
    assert [file.name for file in tmp_path.iterdir()] == ["net.onnx"]


@pytest.mark.slow
def test_too_great_a_loss_is_refused_and_nothing_kept(
    digits: TrainedNetwork, tmp_path: Path
) -> None:
    with pytest.raises(ExportError, match=r"was not kept: int8 makes the top-1 .* more than -100"):
        export_int8(
            digits,
            tmp_path / "net.onnx",
            ExportOptions(),
            DIGITS,
            num_calibration_images=16,
            max_loss=-100,
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("options", [{"to": "pt2"}, {"input": "normalised"}], ids=str)
def test_int8_is_for_onnx_and_pixels(options: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="int8 needs to='onnx'"):
        export_int8(tiny(), tmp_path / "net.onnx", ExportOptions(**options), DIGITS)


def test_calibration_images_are_spread_over_the_data_set() -> None:
    source = data_images(DIGITS, "train", tiny(in_channels=1), 20)
    assert source.name == "digits, train split"
    images = [image.tobytes() for image in source.images]
    assert len(set(images)) == len(images) == 20
    assert [image.tobytes() for image in source.images] == images  # once more, the same
    with pytest.raises(DataError):
        data_images(DataConfig(name="folder", root=Path("/nowhere")), "val", tiny(), 1)


def test_images_of_other_channels_or_signals_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"takes images of 3 channel.*digits have 1"):
        data_samples(DIGITS, "val", tiny(), 4)
    (tmp_path / "x.csv").write_text("label,t0,t1\n" + "a,1,2\nb,3,4\n" * 4)
    with pytest.raises(ConfigError, match="the network takes images, x has"):
        data_samples(DataConfig(name="series", root=tmp_path / "x.csv"), "val", tiny(), 4)


def _folder(root: Path, *folders: str) -> DataConfig:
    for folder in folders:
        (root / folder).mkdir(parents=True)
        for number in range(3):
            Image.new("RGB", (9, 9), (20 * number, 0, 0)).save(root / folder / f"{number}.png")
    return DataConfig(name="folder", root=root, val_fraction=1.0)


@pytest.mark.parametrize(
    ("folders", "split", "source"),
    [
        (("a", "b"), "val", "folder, all images"),
        (("a", "b"), "train", "folder, all images"),
        (("val/a", "val/b", "test/a", "test/b"), "train", "folder, val split"),
        (("train/a", "train/b", "val/a", "val/b"), "val", "folder, val split"),
    ],
)
def test_the_images_are_named_as_the_set_is_split(
    tmp_path: Path, folders: tuple[str, ...], split: SplitChoice, source: str
) -> None:
    data = _folder(tmp_path / "set", *folders)
    assert data_samples(data, split, tiny(), 4).name == source


class _SaidError(Exception):
    """Stops an export at its first note."""


def test_images_that_calibrate_and_measure_are_mentioned(tmp_path: Path) -> None:
    def say(line: str) -> None:
        raise _SaidError(line)

    card = ModelCard(classes=("a", "b"), image_size_px=16)
    export_int8_of = partial(
        export_int8, tiny(card, num_classes=2), tmp_path / "net.onnx", ExportOptions()
    )
    with pytest.raises(_SaidError, match=r"on the same images \(folder, all images\)"):
        export_int8_of(_folder(tmp_path / "set", "a", "b"), effort=EvaluationOptions(note=say))
    assert not (tmp_path / "net.onnx").exists()


@pytest.mark.parametrize("kind", ["pixels", "image"])
def test_calibration_holds_no_more_than_two_decoded_images(
    kind: Input, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive, most, num_opened = set(), 0, 0
    decode = ImageReader.open

    def count(images: ImageReader, index: int) -> Image.Image:
        nonlocal most, num_opened
        image = decode(images, index)
        alive.add(index)
        weakref.finalize(image, alive.discard, index)
        most, num_opened = max(most, len(alive)), num_opened + 1
        return image

    monkeypatch.setattr(ImageReader, "open", count)
    loaded = tiny(in_channels=1)
    source = data_images(DIGITS, "train", loaded, 40)
    batches = as_batches(source, loaded, spec_of(loaded, ExportOptions(input=kind)))
    num_opened = 0
    reader = _Reader("pixels", (batch.numpy() for batch in batches))
    while reader.get_next() is not None:
        assert most <= 2
        assert num_opened - reader.num_images < 16  # nor their pixels: no more than one batch
    assert reader.num_images == num_opened == 40


def test_photographs_are_cut_into_different_windows() -> None:
    loaded = tiny()
    source = sample_photos(3, 6)
    assert len({image.size for image in source.images}) > 1
    (batch,) = as_batches(source, loaded, spec_of(loaded, ExportOptions()))
    assert batch.shape == (6, 16, 16, 3)
    whole = as_batches(source, loaded, spec_of(loaded, ExportOptions(input="image")))
    assert [tuple(part.shape[1:3]) for part in whole] == [i.size[::-1] for i in source.images]
