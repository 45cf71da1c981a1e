"""A config.json that names another network than a plain ResNet is refused, although it fits."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from resnext.errors import CheckpointError
from resnext.model.create import create_model
from resnext.weights.source import open_weights

_STATES: dict[str, dict[str, torch.Tensor]] = {}


def folder_of(folder: Path, network: str, config: dict[str, Any]) -> Path:
    if network not in _STATES:
        _STATES[network] = dict(create_model(network).state_dict())
    save_file(_STATES[network], folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        *("resnetblur18", "resnetaa50", "resnet18d", "resnet50d", "seresnet18", "skresnet18"),
        *("ecaresnet18", "resnet18t", "resnetrs50", "resnet50_gn", "gluon_resnet50_v1d"),
        *("resnet50c", "resnetv2_50", "vit_base", "resnet50_clip", "", "x" * 5000, 7),
    ],
)
@pytest.mark.parametrize("place", ["top", "pretrained_cfg"])
def test_an_architecture_that_is_no_plain_resnet_is_refused(
    tmp_path: Path, name: object, place: str
) -> None:
    config = {"architecture": name}
    folder_of(tmp_path, "resnet18", config if place == "top" else {"pretrained_cfg": config})
    with pytest.raises(CheckpointError, match=r"config\.json.*not a plain ResNet"):
        open_weights(tmp_path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(
            ("aa_layer", "blurpool"),
            ("act_layer", "silu"),
            ("output_stride", 8),
            ("avg_down", True),
        ),
        *(("replace_stem_pool", True), ("stem_type", "deep"), ("down_kernel_size", 3)),
        *(("block_args", {"attn_layer": "se"}), ("norm_layer", "groupnorm")),
        *(("replace_stride_with_dilation", [False, True, True]), ("something_new", 1)),
    ],
)
def test_an_argument_that_leaves_no_trace_in_the_tensors_is_refused(
    tmp_path: Path, key: str, value: object
) -> None:
    folder_of(tmp_path, "resnet18", {"architecture": "resnet18", "model_args": {key: value}})
    with pytest.raises(CheckpointError, match=f"{key}.*compute something else"):
        open_weights(tmp_path)


def test_another_pool_before_the_classifier_is_refused(tmp_path: Path) -> None:
    folder_of(tmp_path, "resnet18", {"architecture": "resnet18", "global_pool": "max"})
    with pytest.raises(CheckpointError, match="global_pool"):
        open_weights(tmp_path)


def test_a_plain_network_of_another_depth_is_refused(tmp_path: Path) -> None:
    folder_of(tmp_path, "resnet18", {"architecture": "resnet34"})
    with pytest.raises(
        CheckpointError, match=r"names 'resnet34', which is resnet34, but .* resnet18"
    ):
        open_weights(tmp_path)


@pytest.mark.parametrize(
    ("network", "config"),
    [
        ("resnet18", {"architecture": "resnet18"}),
        ("resnet18", {"architecture": "resnet18.a1_in1k", "global_pool": "avg"}),
        ("resnet18", {"architecture": "gluon_resnet18_v1b"}),
        ("resnet18", {"architecture": "ssl_resnet18", "model_args": None}),
        (
            "resnet18",
            {
                "architecture": "resnet18",
                "model_args": {"act_layer": "relu", "aa_layer": None, "output_stride": 32,
                               "drop_path_rate": 0.1, "in_chans": 3, "zero_init_last": False},
            },
        ),
        ("resnext_2-1-1-1_4x4d", {
            "architecture": "resnext50_32x4d",
            "model_args": {"layers": [2, 1, 1, 1], "cardinality": 4},
        }),
        ("resnet_2-1-1-1_1x128d", {
            "architecture": "wide_resnet50_2", "model_args": {"layers": [2, 1, 1, 1]},
        }),
    ],
)  # fmt: skip
def test_a_plain_network_opens_and_nothing_is_assumed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, network: str, config: dict[str, Any]
) -> None:
    assert open_weights(folder_of(tmp_path, network, config)).assumed == ()
    assert not caplog.messages


@pytest.mark.parametrize(
    "arguments", [[1], {"layers": "x"}, {"channels": [1]}, {"base_width": "4"}]
)
def test_arguments_that_make_no_network_are_refused(tmp_path: Path, arguments: object) -> None:
    folder_of(tmp_path, "resnet18", {"architecture": "resnet18", "model_args": arguments})
    with pytest.raises(CheckpointError, match="model_args"):
        open_weights(tmp_path)


@pytest.mark.slow
def test_a_config_of_transformers_gives_classes_and_is_compared(tmp_path: Path) -> None:
    labels = {str(number): f"class {number}" for number in range(1000)}
    config = {
        "model_type": "resnet",
        "hidden_act": "relu",
        "id2label": labels,
        "downsample_in_bottleneck": False,
    }
    found = open_weights(folder_of(tmp_path, "resnet18", config))
    assert (found.assumed, found.card.classes[7]) == ((), "class 7")
    for change in (
        {"hidden_act": "gelu"},
        {"downsample_in_bottleneck": True},
        {"model_type": "vit"},
    ):
        with pytest.raises(CheckpointError, match=next(iter(change))):
            open_weights(folder_of(tmp_path, "resnet18", config | change))


def test_a_config_without_an_architecture_leaves_it_assumed(tmp_path: Path) -> None:
    assert open_weights(folder_of(tmp_path, "resnet18", {"num_classes": 1000})).assumed
