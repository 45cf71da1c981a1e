"""Creates networks from names or configs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from torch import nn

from resnext.errors import ConfigError
from resnext.model.backbone import Backbone
from resnext.model.baselines import build_baseline
from resnext.model.config import (
    BaselineConfig,
    DetectorConfig,
    ModelConfig,
    ResNeXtConfig,
    SegmenterConfig,
)
from resnext.model.feature_info import Indices
from resnext.model.habits import take_habits
from resnext.model.names import config_from
from resnext.model.network import ResNeXt

if TYPE_CHECKING:
    from resnext.model.segmenter import Segmenter

_BaselineName = Literal["vgg16_bn", "vgg16", "vgg19_bn", "vgg19", "inception_v3"]


@overload
def create_model(name_or_config: _BaselineName | BaselineConfig, **overrides: Any) -> nn.Module: ...
@overload
def create_model(
    name_or_config: str | ResNeXtConfig, *, out_indices: None = ..., **overrides: Any
) -> ResNeXt: ...
@overload
def create_model(
    name_or_config: str | ResNeXtConfig, *, out_indices: Indices, **overrides: Any
) -> Backbone: ...
@overload
def create_model(name_or_config: SegmenterConfig, **overrides: Any) -> Segmenter: ...
@overload
def create_model(name_or_config: ModelConfig, **overrides: Any) -> nn.Module: ...
def create_model(
    name_or_config: str | ModelConfig, *, out_indices: Indices | None = None, **overrides: Any
) -> nn.Module:
    """Build a network with random weights from torch's global generator.

    Example:
        >>> import torch
        >>> from resnext import create_model
        >>> model = create_model("resnext29_8x64d", num_classes=10, in_channels=1)
        >>> model(torch.zeros(2, 1, 28, 28)).shape
        torch.Size([2, 10])
        >>> model.config.template
        '8x64d'
        >>> create_model("resnext29_8x64d", out_indices=(1, 2, 3)).feature_info.channels()
        [256, 512, 1024]

    Args:
        name_or_config: A name such as `resnext50_32x4d` (see `list_models` and
            `parse_name`) or a config. `fcn_resnext50_32x4d` and `deeplabv3_resnext50_32x4d` give
            every pixel a class; `retinanet_resnext50_32x4d` and `fasterrcnn_resnet50` find objects.
        out_indices: Build a backbone that returns these maps: 0 is the stem's, 1 that of the first
            stage; negative numbers count from the end; an integer n means the last n maps.
        **overrides: Settings of the config to change, such as `num_classes` (0: no classifier),
            `in_channels`, `output_stride`, `form`, `shortcut`, `ndim`. timm's `in_chans` and
            `features_only` are accepted.

    Returns:
        The network, or its `Backbone`; `.config` is its architecture. Use `resnext.load` for
        trained ones.

    Raises:
        ConfigError: The name or a setting is not valid.
    """
    config = config_from(name_or_config)
    wants_maps = out_indices is not None or overrides.get("features_only") is True
    config = config_from(config, **take_habits(config, overrides))
    if isinstance(config, BaselineConfig):
        if wants_maps:
            raise ConfigError(
                f"out_indices={out_indices!r}: {config.family} is a torchvision network; use "
                "torchvision's create_feature_extractor for its maps"
            )
        return build_baseline(config)
    if isinstance(config, SegmenterConfig):
        if wants_maps:
            raise ConfigError(
                f"out_indices={out_indices!r}: a {config.family} network gives every pixel a "
                "class; build its backbone for maps"
            )
        from resnext.model.segmenter import Segmenter  # torchvision is slow to import

        return Segmenter(config)
    if isinstance(config, DetectorConfig):
        if wants_maps:
            raise ConfigError(
                f"out_indices={out_indices!r}: a {config.family} network finds objects; build the "
                "network behind its name for maps"
            )
        from resnext.model.detector import build_detector

        return build_detector(config)
    if not wants_maps:
        return ResNeXt(config)
    return Backbone(ResNeXt(config.replace(num_classes=0)), out_indices)
