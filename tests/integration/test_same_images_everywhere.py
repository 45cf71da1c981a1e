"""Every entry point shows a network the same pixels of awkward files, and gives the same answer.

The network is real and in PyTorch; the exported file is a stand-in that computes with the same
network, so that pixels and logits can be compared bit for bit. Each image goes alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from awkward_images import bad_images, good_images
from tiny_networks import tiny

from resnext.data.config import DataConfig
from resnext.data.file_split import FileSplit
from resnext.data.prepare.normalise import normalise
from resnext.data.sets.load import load_data
from resnext.errors import DataError
from resnext.evaluation import feature_source, run
from resnext.evaluation.feature_source import FeatureRequest, FeatureSource
from resnext.evaluation.run import EvaluationOptions, measure
from resnext.evaluation.target import Protocol
from resnext.export.images import as_batches, data_images
from resnext.inference.files import predict_images
from resnext.inference.predictor import Predictor
from resnext.model.card import ModelCard
from resnext.model.trained import TrainedNetwork
from resnext.page.classifier import Classifier
from resnext.runs.runtime import Runtime
from resnext.runtimes.exported import Exported
from resnext.runtimes.spec import ExportSpec, Input

CPU = torch.device("cpu")
CLASSES = ("ant", "bee", "cat", "dog", "eel")
GOOD, BAD = good_images(), bad_images()
ALONE = EvaluationOptions(batch_size=1, workers=0)


@dataclass
class Watched:
    """A network that keeps what it was shown and what it answered.

    Attributes:
        network: The network.
        seen: Normalised images and logits, one after the other.
    """

    network: TrainedNetwork
    seen: list[tuple[torch.Tensor, torch.Tensor]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.network.module.register_forward_hook(self._keep)

    def _keep(self, _: Any, inputs: tuple[torch.Tensor], logits: torch.Tensor) -> None:
        self.seen.append((inputs[0].clone(), logits.clone()))

    def take(self) -> list[tuple[torch.Tensor, torch.Tensor]]:
        seen, self.seen = self.seen, []
        return seen

    def exported(self, kind: Input) -> Exported:
        """Return it as a file that takes other input."""
        network = self.network

        def infer(batch: np.ndarray) -> np.ndarray:
            images = torch.from_numpy(batch)
            if kind == "pixels":
                images = normalise(images.movedim(-1, 1), network.card.mean, network.card.std, CPU)
            with torch.inference_mode():
                logits: np.ndarray = network(images.contiguous(memory_format=CHANNELS_LAST)).numpy()
            return logits

        spec = ExportSpec(format="onnx", input=kind, size_px=network.card.image_size_px)
        return Exported(Path("x.onnx"), network.config, network.card, spec, infer)


CHANNELS_LAST = torch.channels_last
Seen = dict[str, tuple[torch.Tensor, torch.Tensor]]


@pytest.fixture(params=[3, 1], ids=["colour", "grey"])
def watched(request: pytest.FixtureRequest) -> Watched:
    channels = request.param
    card = ModelCard(
        classes=CLASSES,
        image_size_px=16,
        resize_px=20,
        interpolation="bicubic",
        mean=(0.4, 0.5, 0.6)[:channels],
        std=(0.2, 0.25, 0.3)[:channels],
    )
    network = tiny(card, in_channels=channels)
    network.move_to(CPU)
    return Watched(network)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, data in (GOOD | BAD).items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def predicted(watched: Watched, folder: Path) -> tuple[Seen, dict[str, str]]:
    """Return what `predict` showed the network of each good file, and the class that it named."""
    paths = [folder / name for name in GOOD | BAD]
    rows = list(predict_images(Predictor(watched.network), paths, top=5, batch_size=1))
    assert {Path(row.name).name for row in rows if row.error is not None} == BAD.keys()
    good = [row for row in rows if row.error is None]
    names = [Path(row.name).name for row in good]
    return dict(zip(names, watched.take(), strict=True)), {
        Path(row.name).name: row.ranked[0].name for row in good
    }


def assert_same(found: Seen, expected: Seen) -> None:
    assert found.keys() == expected.keys()
    for name, (images, logits) in expected.items():
        assert torch.equal(found[name][0], images), f"other pixels of {name}"
        assert torch.equal(found[name][1], logits), f"another answer to {name}"


def test_there_are_enough_of_them_and_they_differ(watched: Watched, folder: Path) -> None:
    seen, _ = predicted(watched, folder)
    assert len(seen) == len(GOOD) >= 40
    different = {images.numpy().tobytes() for images, _ in seen.values()}
    assert len(different) > len(GOOD) / 2


def test_the_page_sees_what_predict_sees(watched: Watched, folder: Path) -> None:
    expected, classes = predicted(watched, folder)
    for network in (watched.network, watched.exported("pixels"), watched.exported("normalised")):
        classifier = Classifier(network)
        for name in GOOD:
            answer = classifier.classify(GOOD[name])
            assert answer.classes[0] == classes[name], name
        assert_same(dict(zip(GOOD, watched.take(), strict=True)), expected)
        for data in BAD.values():
            with pytest.raises(DataError):
                classifier.classify(data)
        assert watched.take() == []


@pytest.mark.parametrize("kind", ["pixels", "normalised"])
def test_the_service_answers_as_predict_does(watched: Watched, folder: Path, kind: Input) -> None:
    pytest.importorskip("fastapi", reason="the extra `serve` is not installed")
    from made_service import form_of, made_client

    from resnext.serving.limits import Limits
    from resnext.serving.model import ServedModel
    from resnext.serving.service import Service

    expected, _ = predicted(watched, folder)
    rows = predict_images(
        Predictor(watched.network), [folder / name for name in GOOD], batch_size=1
    )
    shares = {
        Path(row.name).name: {score.name: score.probability for score in row.ranked} for row in rows
    }
    service = Service(lambda: ServedModel(watched.exported(kind), "network"), Limits())
    watched.take()
    with made_client(service) as client:
        for name, data in GOOD.items():
            answer = client.post("/v1/predict", files=form_of(data))
            assert answer.status_code == 200, name
            named = answer.json()["images"][0]["predictions"]
            assert {one["class"]: one["probability"] for one in named} == shares[name], name
            assert [one["class"] for one in named] == list(shares[name]), name
        assert_same(dict(zip(GOOD, watched.take(), strict=True)), expected)
        for name, data in BAD.items():
            assert client.post("/v1/predict", files=form_of(data)).status_code in (400, 413, 415), (
                name
            )


@pytest.fixture
def evaluated(
    watched: Watched, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[DataConfig, Seen]:
    """Put every file into the folder of the class that `predict` named."""
    monkeypatch.setattr("resnext.data.bad_files._MAX_SHARE", 1.0)
    for owner in (run, feature_source):
        monkeypatch.setattr(owner, "load", lambda _: watched.network)
    expected, classes = predicted(watched, folder)
    root = tmp_path / "set"
    for split in ("train", "val"):
        for name in CLASSES:
            (root / split / name).mkdir(parents=True)
            (root / split / name / f"of-{name}.png").write_bytes(GOOD["plain.png"])
    for name, data in (GOOD | BAD).items():
        (root / "val" / classes.get(name, CLASSES[0]) / name).write_bytes(data)
    return DataConfig(name="folder", root=root, workers=0), expected


def names_of(data: DataConfig) -> list[str]:
    split = load_data(data).val
    assert isinstance(split, FileSplit)
    return [Path(name).name for name in split.names]


def of_files(names: list[str], seen: list[tuple[torch.Tensor, torch.Tensor]]) -> Seen:
    """Give names to what was seen of a split, in its order, without what fills the folders."""
    good = [name for name in names if name not in BAD]
    found = dict(zip(good, seen, strict=True))
    return {name: found[name] for name in GOOD}


def test_evaluation_sees_and_counts_what_predict_says(
    watched: Watched, evaluated: tuple[DataConfig, Seen]
) -> None:
    data, expected = evaluated
    found = measure(Path("x"), Protocol(data=data), Runtime(CPU, torch.float32), ALONE)
    assert_same(of_files(names_of(data), watched.take()), expected)
    assert {Path(row["path"]).name for row in found.bad_files} == BAD.keys()
    fillers = len(CLASSES) - 1  # the same picture under each class: right under one
    num = len(GOOD) + len(CLASSES)
    assert found.figures["num_images"] == num
    assert found.figures["top1_error"] == pytest.approx(100 * fillers / num)


def test_features_are_of_the_same_pixels(
    watched: Watched, evaluated: tuple[DataConfig, Seen]
) -> None:
    data, expected = evaluated
    source = FeatureSource(Path("x"), FeatureRequest(data), CPU, ALONE)
    batches = list(source.read("val"))
    assert {Path(row["path"]).name for row in source.bad_files} == BAD.keys()
    assert_same(of_files(names_of(data), watched.take()), expected)
    names, head = names_of(data), watched.network.module.get_submodule("fc")
    for batch in batches:
        name = names[int(batch.indices_b)]
        if name in expected:
            with torch.inference_mode():
                assert torch.equal(head(batch.features_bd), expected[name][1]), name


def test_the_check_of_an_export_uses_the_same_pixels(
    watched: Watched, evaluated: tuple[DataConfig, Seen]
) -> None:
    data, expected = evaluated
    network = watched.network
    source = data_images(data, "val", network, 1_000)
    spec = ExportSpec(format="onnx", size_px=16)
    batches = torch.cat(list(as_batches(source, network, spec)))
    assert len(batches) == len(GOOD) + len(CLASSES)
    images = normalise(batches.movedim(-1, 1), network.card.mean, network.card.std, CPU)
    found = {image.contiguous().numpy().tobytes() for image in images}
    assert found == {images[0].contiguous().numpy().tobytes() for images, _ in expected.values()}
