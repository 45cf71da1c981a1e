"""Creating networks: the paper's exact sizes, overrides, baselines, wrong requests."""

from typing import Any, assert_type

import numpy as np
import pytest
import torch
from torch import nn

from resnext.errors import ConfigError
from resnext.model.backbone import Backbone
from resnext.model.config import BaselineConfig, DetectorConfig, ResNeXtConfig
from resnext.model.create import create_model
from resnext.model.names import list_models
from resnext.model.network import ResNeXt


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "num_classes", "num_parameters"),
    [  # the specification's exact counts
        ("resnet50", 1000, 25_557_032),
        ("resnext50_32x4d", 1000, 25_028_904),
        ("resnet101", 1000, 44_549_160),
        ("resnext101_32x4d", 1000, 44_177_704),
        ("resnext152_32x4d", 1000, 59_951_400),
        ("resnext101_64x4d", 1000, 83_455_272),
        ("resnext101_32x8d", 1000, 88_791_336),
        ("resnext29_16x64d", 10, 68_155_210),
        ("resnext29_16x64d", 100, 68_247_460),
    ],
)
@pytest.mark.parametrize("form", ["a", "b", "c"])
def test_presets_have_the_papers_number_of_parameters(
    name: str, num_classes: int, num_parameters: int, form: str
) -> None:
    with torch.device("meta"):
        model = create_model(name, num_classes=num_classes, form=form)
    # A path's BNs are slices of the whole one's, so the forms have equally many parameters.
    assert sum(parameter.numel() for parameter in model.parameters()) == num_parameters


def test_a_first_stage_block_has_the_papers_number_of_weights() -> None:
    for cardinality, width in ((1, 64), (2, 40), (4, 24), (8, 14), (32, 4)):
        config = ResNeXtConfig(
            blocks_per_stage=(2,), cardinality=cardinality, bottleneck_width=width
        )
        with torch.device("meta"):
            block = create_model(config).get_submodule("layer1.1")
        weights = [layer.weight for layer in block.modules() if isinstance(layer, nn.Conv2d)]
        # Section 3.3: C · (256·d + 3·3·d·d + d·256).
        expected = cardinality * (256 * width + 9 * width * width + width * 256)
        assert sum(weight.numel() for weight in weights) == expected


@pytest.mark.slow
@pytest.mark.parametrize("name", list_models())
def test_every_listed_model_can_be_built_and_names_its_config(name: str) -> None:
    with torch.device("meta"):
        model = create_model(name, num_classes=7, in_channels=2)
    assert model.config == create_config(name)
    layers = [m for m in model.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    first, last = layers[0], layers[-1]
    assert isinstance(first, nn.Conv2d)
    config: object = model.config
    if isinstance(config, DetectorConfig):  # its last layer has anchors or a background, too
        assert (first.in_channels, config.num_classes) == (2, 7)
        return
    num_outputs = last.out_features if isinstance(last, nn.Linear) else last.out_channels
    assert (first.in_channels, num_outputs) == (2, 7)


def create_config(name: str) -> object:
    from resnext.model.names import config_from

    return config_from(name, num_classes=7, in_channels=2)


@pytest.mark.slow
@pytest.mark.parametrize(("family", "side"), [("vgg16_bn", 32), ("inception_v3", 75)])
def test_a_baseline_gives_one_tensor_of_logits_for_any_channels(family: str, side: int) -> None:
    model: nn.Module = create_model(family, num_classes=4, in_channels=1).eval()
    assert isinstance(model.config, BaselineConfig)
    with torch.no_grad():
        logits = model(torch.randn(1, 1, side, side))
    assert logits.shape == (1, 4)
    assert logits.isfinite().all()


def test_the_types_are_those_that_an_editor_completes() -> None:
    """mypy reads the first of each pair, the test the second."""
    config = ResNeXtConfig(blocks_per_stage=(1,))
    with torch.device("meta"):
        network = assert_type(create_model("resnet18"), ResNeXt)
        same = assert_type(create_model(config, num_classes=2), ResNeXt)
        backbone = assert_type(create_model("resnet18", out_indices=(1, 2)), Backbone)
        baseline = assert_type(create_model("vgg16_bn"), nn.Module)
    kinds = [type(model) for model in (network, same, backbone, baseline)]
    assert kinds[:3] == [ResNeXt, ResNeXt, Backbone]
    assert not issubclass(kinds[3], ResNeXt | Backbone)


def test_an_override_that_does_not_exist_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="num_clases: no such setting; did you mean 'num_cl"):
        create_model("resnext50_32x4d", num_clases=10)


def test_a_baseline_refuses_settings_of_a_resnext() -> None:
    with pytest.raises(ConfigError, match="form: no such setting"):
        create_model("vgg16_bn", form="a")


def test_something_that_is_no_name_and_no_config_is_refused() -> None:
    with pytest.raises(ConfigError, match="neither a name"):
        create_model(50)  # type: ignore[call-overload]  # the mistake under test


@pytest.mark.parametrize(
    "value", [True, False, -1, 2.0, 2.5, "10", None, 10**30, float("nan"), float("inf"), [1]]
)
@pytest.mark.parametrize("name", ["num_classes", "in_channels", "cardinality", "stem_width"])
def test_a_size_that_is_no_whole_number_in_range_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"{name}="):
        create_model("resnet18", **{name: value})


@pytest.mark.parametrize("name", ["in_channels", "cardinality", "stem_width"])
def test_only_classes_may_be_none(name: str) -> None:
    settings: dict[str, Any] = {name: 0}
    with pytest.raises(ConfigError, match=f"{name}=0"):
        create_model("resnet18", **settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("ndim", True), ("ndim", 2.0), ("preactivation", 1), ("zero_init_residual", "yes")),
        *(("blocks_per_stage", (True, 1, 1, 1)), ("blocks_per_stage", (2.0, 1, 1, 1))),
        ("stage_widths", (True, 1, 1, 1)),
    ],
)
def test_no_setting_takes_a_value_of_another_type(name: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=name):
        create_model("resnet18", **{name: value})
    with pytest.raises(ConfigError, match="num_classes=True"):
        create_model("vgg16_bn", num_classes=True)


def test_integers_of_numpy_are_whole_numbers() -> None:
    with torch.device("meta"):
        config = create_model("resnet18", num_classes=np.int64(7)).config
    assert isinstance(config, ResNeXtConfig)
    assert type(config.num_classes) is int
