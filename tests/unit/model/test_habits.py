"""Arguments of timm's and torchvision's functions: taken if they mean the same, else answered."""

import inspect
from typing import Any

import pytest
import torch

from resnext.errors import ConfigError
from resnext.model.backbone import Backbone
from resnext.model.create import create_model
from resnext.model.habits import _OURS, _SAME


@pytest.fixture(autouse=True)
def on_meta() -> Any:
    with torch.device("meta"):
        yield


@pytest.mark.parametrize(
    "arguments",
    [
        {"pretrained": False, "in_chans": 1, "num_classes": 10, "global_pool": "avg"},
        {"weights": None, "drop_rate": 0.0, "drop_path_rate": 0, "norm_layer": None},
        {"replace_stride_with_dilation": [False, False, False], "features_only": False},
    ],
)
def test_arguments_that_change_nothing_are_taken(arguments: dict[str, Any]) -> None:
    config = create_model("resnext50_32x4d", **arguments).config
    assert config.in_channels == arguments.get("in_chans", 3)


def test_features_only_gives_a_backbone_with_all_maps() -> None:
    backbone: Any = create_model("resnet18", features_only=True)
    assert isinstance(backbone, Backbone)
    assert backbone.feature_info.channels() == [64, 64, 128, 256, 512]
    chosen = create_model("resnet18", features_only=True, out_indices=(2, 4))
    assert chosen.feature_info.channels() == [128, 512]


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        ({"pretrained": True}, r"pretrained=True: .*resnext\.load .*weights list resnext50_32x4d`"),
        ({"weights": "DEFAULT"}, r"weights='DEFAULT': .*resnext\.load"),
        ({"checkpoint_path": "a.pth"}, r"resnext\.load"),
        ({"global_pool": "max"}, "global_pool='max': only average pooling"),
        ({"drop_rate": 0.1}, r"drop_rate=0\.1: not supported; .*custom-blocks"),
        ({"norm_layer": torch.nn.GroupNorm}, "custom-blocks"),
        ({"groups": 32}, "groups=32: write cardinality"),
        ({"width_per_group": 4}, "write bottleneck_width"),
        ({"base_width": 4}, "write bottleneck_width"),
        ({"zero_init_last": True}, "write zero_init_residual"),
        ({"replace_stride_with_dilation": [False, False, True]}, "write output_stride=16"),
        ({"replace_stride_with_dilation": (0, 1, 1)}, "write output_stride=8"),
        ({"replace_stride_with_dilation": [True, True, True]}, "write output_stride=4"),
        ({"replace_stride_with_dilation": [True, False, False]}, "output_stride=16 or 8; all"),
        ({"features_only": 1}, "features_only=1: give out_indices"),
        ({"in_chans": 1, "in_channels": 1}, "in_chans and in_channels are the same setting"),
    ],
)
def test_other_arguments_are_answered_with_ours(arguments: dict[str, Any], answer: str) -> None:
    with pytest.raises(ConfigError, match=answer):
        create_model("resnext50_32x4d", **arguments)


def test_a_baseline_gives_no_maps() -> None:
    for arguments in ({"out_indices": (1,)}, {"features_only": True}):
        options: Any = arguments
        with pytest.raises(ConfigError, match="use torchvision's create_feature_extractor"):
            create_model("vgg16_bn", **options)


def test_every_argument_of_timms_resnet_is_taken_or_answered() -> None:
    resnet = pytest.importorskip("timm.models.resnet")
    known = {
        *_OURS,
        *_SAME,
        "in_chans",
        "num_classes",
        "output_stride",
        "cardinality",
        "stem_width",
    }
    known |= {"block", "self"}  # ours too
    left = set(inspect.signature(resnet.ResNet.__init__).parameters) - known
    # These keep the answer of every unknown setting: the accepted ones.
    assert left == {
        *("replace_stem_pool", "block_reduce_first", "down_kernel_size", "avg_down"),
        *("block_args", "device", "dtype"),
    }
