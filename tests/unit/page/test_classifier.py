import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from page_network import CARD, CONFIG, image_file, small_network
from prepared_image import prepare_image

from resnext.data.prepare.normalise import normalise
from resnext.errors import ConfigError, DataError
from resnext.model.config import BaselineConfig
from resnext.model.trained import TrainedNetwork
from resnext.page.classifier import Answer, Classifier
from resnext.page.classify_view import overlay, show_answer, title_of_image
from resnext.runtimes.exported import Exported
from resnext.runtimes.module import ExportedModule
from resnext.runtimes.spec import ExportSpec, Input

CPU = torch.device("cpu")


def exported(kind: Input) -> tuple[Exported, list[tuple[int, ...]]]:
    """Return a stand-in for an exported file that runs the network in PyTorch, and its inputs."""
    model = small_network()
    seen: list[tuple[int, ...]] = []

    def infer(batch: np.ndarray) -> np.ndarray:
        seen.append(batch.shape)
        if kind == "normalised":
            images = torch.from_numpy(batch)
        else:
            cut = batch[:, :16, :16] if kind == "image" else batch
            pixels = torch.from_numpy(np.ascontiguousarray(cut)).permute(0, 3, 1, 2)
            images = normalise(pixels, CARD.mean, CARD.std, CPU)
        with torch.inference_mode():
            return model.module(images).numpy()  # type: ignore[no-any-return]

    spec = ExportSpec(format="onnx", input=kind, size_px=16)
    return Exported(Path("x.onnx"), CONFIG, CARD, spec, infer), seen


def expected(tmp_path: Path, data: bytes) -> list[float]:
    """Return the probabilities of the network on the image prepared as evaluation does."""
    file = tmp_path / "image"
    file.write_bytes(data)
    pixels = prepare_image(file, 16, 20, 1).unsqueeze(0)
    with torch.inference_mode():
        logits = small_network().module(normalise(pixels, CARD.mean, CARD.std, CPU))
    return sorted(logits.softmax(1)[0].tolist(), reverse=True)[:5]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_five_best_classes_are_those_of_the_network(kind: str, tmp_path: Path) -> None:
    data = image_file(kind=kind)
    answer = Classifier(small_network()).classify(data)
    assert answer.probabilities == pytest.approx(expected(tmp_path, data), abs=1e-6)
    assert answer.crop.shape == (16, 16, 1)
    assert answer.heat is None


@pytest.mark.parametrize("kind", ["pixels", "normalised"])
def test_an_exported_file_sees_the_same_image(kind: Input, tmp_path: Path) -> None:
    model, seen = exported(kind)
    data = image_file()
    answer = Classifier(model).classify(data, explain=0)
    assert answer.probabilities == pytest.approx(expected(tmp_path, data), abs=1e-5)
    assert seen == [(1, 16, 16, 1) if kind == "pixels" else (1, 1, 16, 16)]


def test_a_graph_that_crops_gets_the_image_of_its_own_size() -> None:
    model, seen = exported("image")
    Classifier(model).classify(image_file(width=33, height=21))
    assert seen == [(1, 21, 33, 1)]


def test_a_graph_that_crops_gets_of_a_line_of_pixels_only_what_is_looked_at() -> None:
    model, seen = exported("image")
    Classifier(model).classify(image_file(width=3_000, height=20))
    assert seen == [(1, 20, 200, 1)]


def test_an_exported_file_has_no_heat_map_and_says_why() -> None:
    model, _ = exported("pixels")
    wrapped = TrainedNetwork(ExportedModule(model), CONFIG, CARD)  # as `load` returns it
    for one in (model, wrapped):
        classifier = Classifier(one)
        assert classifier.no_heat is not None
        assert "gradients" in classifier.no_heat
        assert classifier.classify(image_file(), explain=0).heat is None


def test_a_network_without_stages_says_why_it_has_no_heat_map() -> None:
    baseline = BaselineConfig(family="vgg16_bn", num_classes=7)
    classifier = Classifier(
        TrainedNetwork(torch.nn.Identity(), baseline, CARD.replace(image_size_px=32))
    )
    assert classifier.no_heat is not None
    assert "last stage" in classifier.no_heat


def test_networks_that_take_no_images_are_refused() -> None:
    signals = dataclasses.replace(small_network(), config=CONFIG.replace(ndim=1))
    with pytest.raises(ConfigError, match="2 dimensions"):
        Classifier(signals)


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"", "empty"), (b"no image", "identify"), (image_file(kind="JPEG")[:300], "[Tt]runcated")],
)
def test_what_is_no_image_is_told(data: bytes, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        Classifier(small_network()).classify(data)


def test_too_many_pixels_are_refused_before_they_are_decoded() -> None:
    header = bytearray(image_file(kind="BMP"))
    header[18:26] = (30_000).to_bytes(4, "little") + (2_000).to_bytes(4, "little")
    with pytest.raises(DataError, match="50 million"):
        Classifier(small_network()).classify(bytes(header))


def test_an_answer_is_shown_as_text_and_pictures() -> None:
    crop = np.zeros((4, 6, 1), np.uint8)
    answer = Answer(("<b>zero</b>", "1"), (0.75, 0.25), crop, np.ones((4, 6), np.float32))
    page = show_answer(title_of_image(3, None), answer, 1)
    assert "&lt;b&gt;zero" in page
    assert "<b>" not in page
    assert 'alt="Image 3, as the network sees it"' in page
    assert 'alt="Heat map: 1"' in page
    assert "width:75.00%" in page


def test_an_image_goes_by_the_name_of_its_file_which_is_text_not_markup() -> None:
    answer = Answer(("1",), (1.0,), np.zeros((4, 6, 1), np.uint8), None)
    page = show_answer(title_of_image(3, 'a "<b>\u202ecat</b>.png'), answer, None)
    assert "<figcaption>a &quot;&lt;b&gt;\\u202ecat&lt;/b&gt;.png</figcaption>" in page
    assert 'alt="a &quot;&lt;b&gt;' in page
    assert "Image 3" not in page


def test_where_there_is_no_heat_the_picture_stays() -> None:
    crop = np.full((8, 8, 3), 90, np.uint8)
    heat = np.zeros((4, 4), np.float32)
    assert (overlay(crop, heat) == crop).all()
    heat[:2] = 1
    changed = overlay(crop, heat) != crop
    assert changed[0].any()
    assert not changed[-1].any()
