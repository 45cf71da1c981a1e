from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from prepared_image import prepare_image
from tiny_networks import tiny

from resnext.data.prepare.normalise import normalise
from resnext.export.graph import _middle, build_graph
from resnext.export.network import at_size
from resnext.model.card import ModelCard

CPU = torch.device("cpu")


def test_pixels_are_normalised_as_by_the_loaders() -> None:
    loaded = tiny()
    pixels = torch.randint(0, 256, (3, 16, 16, 3), dtype=torch.uint8)
    graph = build_graph(loaded.module, loaded.card, "pixels", 16)
    images = normalise(pixels.permute(0, 3, 1, 2), loaded.card.mean, loaded.card.std, CPU)
    with torch.no_grad():
        torch.testing.assert_close(graph(pixels), loaded.module(images), rtol=1e-5, atol=1e-5)


@given(st.integers(0, 1000))
def test_the_middle_is_rounded_as_in_evaluation(margin: int) -> None:
    assert _middle(margin) == round(margin / 2)


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(17, 60), width=st.integers(17, 60), kind=st.sampled_from(["linear", "cubic"])
)
def test_an_image_is_resized_and_cropped_as_predict_does(
    tmp_path_factory: pytest.TempPathFactory, height: int, width: int, kind: str
) -> None:
    card = ModelCard(
        image_size_px=16, resize_px=20, interpolation="bicubic" if kind == "cubic" else "bilinear"
    )
    seen = []
    network = tiny(card).module
    network.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    rng = np.random.default_rng(height * 100 + width)
    # no value overshoots 0 to 255, where Pillow would clip it between its two passes
    coarse = rng.integers(64, 192, (7, 9, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    path = Path(tmp_path_factory.getbasetemp()) / "image.png"
    image.save(path)
    graph = build_graph(network, card, "image", 16)
    with torch.no_grad():
        graph(torch.from_numpy(np.array(image)).unsqueeze(0))
    levels = seen[0] * torch.tensor(card.std).view(3, 1, 1) + torch.tensor(card.mean).view(3, 1, 1)
    wanted = prepare_image(path, 16, 20, 3, card.interpolation)
    # Pillow rounds between its two passes, over columns and rows
    difference = (255 * levels[0] - wanted).abs()
    assert float(difference.max()) < 2.01
    assert float(difference.mean()) < 0.4


def test_another_size_keeps_the_share_of_the_crop() -> None:
    loaded = at_size(tiny(), 32)  # its crop of 16 comes from a short side of 20
    assert build_graph(loaded.module, loaded.card, "image", 32).resize_px == 40
    assert loaded.card.metrics == {}  # measured at 16
