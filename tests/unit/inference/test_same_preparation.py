"""Every verb shows a network the same numbers for the same image and card."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from resnext.data.config import DataConfig
from resnext.data.prepare.normalise import normalise
from resnext.data.prepare.preparation import Preparation
from resnext.evaluation import feature_source, run
from resnext.evaluation.feature_source import FeatureRequest, FeatureSource
from resnext.evaluation.run import EvaluationOptions, measure
from resnext.evaluation.target import Protocol
from resnext.export.images import ImageSource, as_batches
from resnext.inference.files import predict_images
from resnext.inference.predictor import Predictor
from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig
from resnext.model.trained import TrainedNetwork
from resnext.page.classifier import Classifier
from resnext.runs.runtime import Runtime
from resnext.runtimes.exported import Exported
from resnext.runtimes.spec import ExportSpec
from resnext.serving.model import ServedModel

CPU = torch.device("cpu")
CLASSES = ("a", "b")
CARDS = {
    "no resize": ModelCard(classes=CLASSES, image_size_px=32, resize_px=None),
    "the crop's side": ModelCard(classes=CLASSES, image_size_px=32, resize_px=32),
    "usual": ModelCard(classes=CLASSES, image_size_px=28, resize_px=32),
    "bicubic": ModelCard(classes=CLASSES, image_size_px=24, resize_px=37, interpolation="bicubic"),
    "less than the crop": ModelCard(classes=CLASSES, image_size_px=32, resize_px=20),
}
SIZES = [(32, 32), (50, 40), (20, 33), (9, 200)]


class Recorder(nn.Module):
    """A network that keeps what it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.config = ResNeXtConfig(num_classes=2)
        self.fc = nn.Linear(3, 2)
        self.seen: list[torch.Tensor] = []

    def forward(self, images_bchw: torch.Tensor) -> torch.Tensor:
        self.seen.append(images_bchw.clone())
        logits_bk: torch.Tensor = self.fc(images_bchw.mean(dim=(2, 3)))
        return logits_bk


def picture(size: tuple[int, int]) -> Image.Image:
    generator = np.random.default_rng(size[0])
    return Image.fromarray(generator.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))


def make_data(root: Path, size: tuple[int, int]) -> DataConfig:
    for split in ("train", "val"):
        for name in CLASSES:
            (root / split / name).mkdir(parents=True)
            picture(size).save(root / split / name / "image.png")
    return DataConfig(name="folder", root=root, workers=0)


def by_evaluation(_: TrainedNetwork, data: DataConfig) -> None:
    measure(
        Path("x"), Protocol(data=data), Runtime(CPU, torch.float32), EvaluationOptions(workers=0)
    )


def by_features(_: TrainedNetwork, data: DataConfig) -> None:
    source = FeatureSource(Path("x"), FeatureRequest(data), CPU, EvaluationOptions(workers=0))
    list(source.read("val"))


def by_prediction(model: TrainedNetwork, data: DataConfig) -> None:
    assert data.root is not None
    list(predict_images(Predictor(model), [data.root / "val" / "a" / "image.png"]))


def by_the_page(model: TrainedNetwork, data: DataConfig) -> None:
    assert data.root is not None
    Classifier(model).classify((data.root / "val" / "a" / "image.png").read_bytes())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("card", CARDS.values(), ids=CARDS)
@pytest.mark.parametrize("verb", [by_evaluation, by_features, by_prediction, by_the_page])
def test_a_network_sees_the_same_numbers_by_every_verb(
    verb: Callable[[TrainedNetwork, DataConfig], None],
    card: ModelCard,
    size: tuple[int, int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = Recorder()
    model = TrainedNetwork(module, module.config, card)
    for owner in (run, feature_source):
        monkeypatch.setattr(owner, "load", lambda _: model)
    verb(model, make_data(tmp_path, size))
    pixels_hwc = torch.from_numpy(np.array(Preparation.of_card(card).crop(picture(size))))
    expected = normalise(pixels_hwc.permute(2, 0, 1)[None], card.mean, card.std, CPU)
    assert torch.equal(module.seen[0][:1], expected)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("card", CARDS.values(), ids=CARDS)
def test_an_exported_file_is_given_the_same_pixels(card: ModelCard, size: tuple[int, int]) -> None:
    expected = np.array(Preparation.of_card(card).crop(picture(size)))
    module = Recorder()
    spec = ExportSpec(format="onnx", size_px=card.image_size_px)
    file = BytesIO()
    picture(size).save(file, "PNG")
    exported = Exported(Path("x.onnx"), module.config, card, spec, lambda batch: batch)
    assert np.array_equal(ServedModel(exported, "x").decode(file.getvalue()), expected)
    source = ImageSource("one", [picture(size)])
    (batch,) = as_batches(source, TrainedNetwork(module, module.config, card), spec)
    assert np.array_equal(batch[0].numpy(), expected)


def test_an_image_of_the_crops_size_is_shown_as_it_is_by_a_card_without_a_resize() -> None:
    file = BytesIO()
    picture((32, 32)).save(file, "PNG")
    shown = Preparation.of_card(CARDS["no resize"]).crop(picture((32, 32)))
    assert np.array_equal(np.array(shown), np.array(Image.open(file)))


@pytest.mark.parametrize(("size_px", "short_side_px"), [(224, 256), (320, 366), (112, 128), (1, 1)])
def test_another_crop_shows_the_same_part_of_the_image(size_px: int, short_side_px: int) -> None:
    assert Preparation.of_card(ModelCard(), size_px).short_side_px == short_side_px
