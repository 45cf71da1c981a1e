"""Weights of the classes in the loss: what is accepted, and what comes out."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from resnext.errors import ConfigError
from resnext.runs.config import TrainConfig
from resnext.settings import override_all
from resnext.training.class_weights import Setting, describe_weights, scaled_weights

CLASSES = ("dress", "hat", "shirt")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 5_000), min_size=1, max_size=30))
def test_balanced_weights_are_those_of_scikit_learn(counts: list[int]) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    expected = compute_class_weight("balanced", classes=np.arange(len(counts)), y=labels)
    found = scaled_weights("balanced", counts, [str(k) for k in range(len(counts))])
    assert found is not None
    assert found.dtype == torch.float32
    assert found.tolist() == pytest.approx(expected.tolist(), rel=1e-6)


@pytest.mark.parametrize(
    "setting", ["balanced", {"dress": 2.0}, (1.0, 2.0, 5.0), {"hat": 1e-6, "shirt": 1e6}]
)
def test_the_mean_weight_of_the_training_images_is_one(setting: Setting) -> None:
    counts = [241, 12, 795]
    weights_k = scaled_weights(setting, counts, CLASSES)
    assert weights_k is not None
    mean = sum(w * n for w, n in zip(weights_k.tolist(), counts, strict=True)) / sum(counts)
    assert mean == pytest.approx(1.0, rel=1e-5)


def test_weights_by_name_and_in_order_are_the_same() -> None:
    by_name = scaled_weights({"hat": 2.0}, [5, 7, 9], CLASSES)
    in_order = scaled_weights((1.0, 2.0, 1.0), [5, 7, 9], CLASSES)
    assert by_name is not None
    assert in_order is not None
    assert torch.equal(by_name, in_order)
    assert float(by_name[1] / by_name[0]) == pytest.approx(2.0)
    assert "(hat)" in describe_weights(by_name, CLASSES)


def test_no_setting_gives_no_weights() -> None:
    assert scaled_weights(None, [1, 2, 3], CLASSES) is None


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("balanced", "'hat': there are no training images"),
        ({"hat": 2.0}, "'hat': there are no training images"),
        ((1.0, 2.0, 3.0), "'hat': there are no training images"),
        ({"drees": 2.0}, "names 'drees'.*their classes are 'dress', 'hat', 'shirt'"),
        ((1.0, 2.0), "has 2 weights, but there are 3 classes"),
    ],
)
def test_weights_that_do_not_fit_the_classes_are_refused(setting: Setting, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        scaled_weights(setting, [5, 0, 9], CLASSES)


def test_an_empty_class_that_is_not_named_is_no_obstacle() -> None:
    weights_k = scaled_weights({"dress": 2.0}, [5, 0, 10], CLASSES)
    assert weights_k is not None
    assert weights_k.tolist() == pytest.approx([1.5, 0.75, 0.75])


def read(text: str) -> object:
    """Return what `--set class_weights=TEXT` means."""
    return override_all(TrainConfig(), [f"class_weights={text}"]).class_weights


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("balanced", "balanced"),
        ("null", None),
        ("dress=2,hat=1.5", {"dress": 2.0, "hat": 1.5}),
        ("dress=2, t-shirt=1e-3", {"dress": 2.0, "t-shirt": 1e-3}),
        ("a=b=2", {"a=b": 2.0}),
        ("0=2,1=3", {"0": 2.0, "1": 3.0}),
        ("{dress: 2, hat: 1.5}", {"dress": 2.0, "hat": 1.5}),
        ("[1, 2.5]", (1.0, 2.5)),
    ],
)
def test_each_form_of_the_setting_is_read(text: str, expected: object) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dress", "give balanced, class names with weights"),
        ("{}", "give balanced"),
        ("[]", "give balanced"),
        ("3", "give balanced"),
        ("=2", "give balanced"),
        ("dress=", "the weight of 'dress' is ''"),
        ("dress=0", "the weight of 'dress' is '0'; give a number from"),
        ("dress=-1", "the weight of 'dress'"),
        ("dress=nan", "the weight of 'dress'"),
        ("dress=inf", "the weight of 'dress'"),
        ("dress=1e-7", "the weight of 'dress'"),
        ("[1, 0]", "the weight of class number 1 is 0"),
        ("[1, [2]]", "the weight of class number 1"),
        ("[true, 1]", "true and false are not accepted"),
        ("{dress: .inf}", "the weight of 'dress'"),
        ("{dress: yes}", "the weight of 'dress'"),
        ("{dress: null}", "the weight of 'dress'"),
        ("dress=2,dress=3", "the class 'dress' occurs twice"),
    ],
)
def test_a_wrong_weight_is_refused_with_one_message(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        read(text)
    assert str(caught.value).count("class_weights=") == 1


def test_weights_survive_the_settings_file() -> None:
    for text in ("balanced", "dress=2,hat=1.5", "[1, 2.5]"):
        config = TrainConfig(class_weights=read(text))
        assert TrainConfig(**config.model_dump(mode="json")) == config
