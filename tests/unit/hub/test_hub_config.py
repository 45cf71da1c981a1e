"""config.json says to timm what timm can build, and nothing that would mislead it."""

import math

from hub_networks import CARD, CIFAR, CLASSES, ODD, random_network
from hypothesis import given
from hypothesis import strategies as st

from resnext.hub.hub_config import crop_fraction, hub_config
from resnext.hub.published import open_source
from resnext.model.card import ModelCard


def test_a_network_of_timms_is_named_with_its_arguments_and_preparation() -> None:
    described = hub_config(open_source(random_network(ODD)))
    assert described["architecture"] == "resnext50_32x4d"
    assert described["model_args"]["channels"] == [16, 32, 64, 128]
    assert described["num_features"] == ODD.stage_widths[-1]
    assert described["label_names"] == list(CLASSES)
    prepared = described["pretrained_cfg"]
    assert prepared["input_size"] == [3, 56, 56]
    assert (prepared["mean"], prepared["std"]) == (list(CARD.mean), list(CARD.std))
    assert (prepared["interpolation"], prepared["crop_pct"]) == ("bicubic", 56 / 64)


def test_another_network_has_no_architecture_and_says_why() -> None:
    described = hub_config(open_source(random_network(CIFAR)))
    assert "architecture" not in described
    assert "model_args" not in described
    assert "CIFAR" in described["not_in_timm"]
    assert described["resnext"]["stem"] == "cifar"


@given(size=st.integers(1, 2000), resize=st.integers(1, 3000))
def test_timms_resize_is_ours(size: int, resize: int) -> None:
    """timm resizes the short side to floor(size / fraction)."""
    fraction = crop_fraction(ModelCard(image_size_px=size, resize_px=resize))
    assert math.floor(size / fraction) == resize


def test_usual_fractions_are_short() -> None:
    sizes = [(224, 256), (224, 235), (176, 232), (320, 320), (288, 303)]
    found = [crop_fraction(ModelCard(image_size_px=s, resize_px=r)) for s, r in sizes]
    assert found == [0.875, 0.953, 0.7586, 1.0, 0.95]


def test_images_in_memory_are_not_resized() -> None:
    assert crop_fraction(ModelCard(image_size_px=32, resize_px=None)) == 1.0
