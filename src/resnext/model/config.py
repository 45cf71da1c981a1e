"""The networks that are known: residual ones, the paper's baselines, those for pixels and objects.

Nothing here needs torch, so that a network's cost can be known before torch is imported.
"""

from __future__ import annotations

from typing import Annotated, Any, Self, get_args

from pydantic import Field, StrictBool, model_validator

from resnext.errors import ConfigError
from resnext.model.choices import DECODERS, PYRAMID_STAGES, Baseline, Head, Size
from resnext.model.detector_config import DETECTORS, DetectorConfig
from resnext.model.registry import check_registered
from resnext.model.resnext_config import ResNeXtConfig, describe_parts
from resnext.model.template import output_strides
from resnext.settings import Settings

__all__ = [
    "BaselineConfig",
    "DetectorConfig",
    "ModelConfig",
    "ResNeXtConfig",
    "SegmenterConfig",
    "body_of",
    "config_from",
    "describe_parts",
]


class BaselineConfig(Settings):
    """One of torchvision's networks that the paper compares with.

    Attributes:
        family: VGG-16 or VGG-19 with BN, or Inception-v3 (without its auxiliary head).
        in_channels: Channels of the input.
        num_classes: Classes of the head.
    """

    family: Baseline
    in_channels: Size = 3
    num_classes: Size = 1000


class SegmenterConfig(Settings):
    """A network that gives every pixel a class: a backbone and a head.

    The heads `fcn` and `deeplabv3` are torchvision's and read the last map; `unet` and `fpn` are
    decoders of segmentation_models_pytorch, which go back from map to map.

    Attributes:
        family: `fcn` is two convolutions (J. Long et al., arXiv 1411.4038); `deeplabv3` combines
            several scales (L.-C. Chen et al., arXiv 1706.05587); `unet` joins every map (O.
            Ronneberger et al., arXiv 1505.04597); `fpn` adds up the maps of four stages (A.
            Kirillov et al., arXiv 1901.02446).
        backbone: The network before the head; its `output_stride` is the step of the last map. By
            default a ResNeXt-50, dilated to 8 before `fcn` and `deeplabv3`.
        num_classes: Number of classes.
        aux_head: A second head on the second-to-last map, used only in training.
    """

    family: Head
    backbone: ResNeXtConfig = ResNeXtConfig(num_classes=0, output_stride=8)
    num_classes: Size = 21
    aux_head: StrictBool = False

    @model_validator(mode="before")
    @classmethod
    def _leave_decoders_undilated(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Give a decoder, which goes back from map to map, a backbone whose maps get smaller."""
        if isinstance(values, dict) and values.get("family") in DECODERS:
            return {"backbone": ResNeXtConfig(num_classes=0), **values}
        return values

    @model_validator(mode="after")
    def _check(self) -> Self:
        backbone = self.backbone
        if backbone.num_classes:
            raise ConfigError(
                f"backbone.num_classes={backbone.num_classes}: the segmentation head replaces "
                "it; give 0"
            )
        if backbone.ndim != 2:
            raise ConfigError(
                f"backbone.ndim={backbone.ndim}: {self.family} only supports images; use ndim=2"
            )
        if self.aux_head and len(backbone.blocks_per_stage) < 2:
            raise ConfigError("aux_head=True needs a backbone with at least two stages")
        if self.family == "fpn":
            self._check_pyramid()
        return self

    def _check_pyramid(self) -> None:
        num_stages = len(self.backbone.blocks_per_stage)
        if num_stages != PYRAMID_STAGES:
            raise ConfigError(
                f"fpn adds up the maps of {PYRAMID_STAGES} stages, and the backbone has "
                f"{num_stages}; unet takes any number"
            )
        if self.backbone.output_stride is not None:
            raise ConfigError(
                f"backbone.output_stride={self.backbone.output_stride}: fpn needs maps that halve "
                "from stage to stage; leave output_stride out, or take unet, which takes any"
            )

    @property
    def side_multiple(self) -> int:
        """The network pads the sides of images to multiples of this number of pixels."""
        strides = output_strides(self.backbone.stem, len(self.backbone.blocks_per_stage))
        return strides[-1] if self.family == "fpn" and strides else 1

    @property
    def in_channels(self) -> int:
        """Channels of the input."""
        return self.backbone.in_channels

    @property
    def ndim(self) -> int:
        """Spatial dimensions of the input."""
        return self.backbone.ndim


ModelConfig = Annotated[
    ResNeXtConfig | BaselineConfig | SegmenterConfig | DetectorConfig,
    Field(discriminator="family"),
]


def body_of(config: ModelConfig) -> ResNeXtConfig | BaselineConfig:
    """Return the network that a head stands on; a classifier as it is."""
    if isinstance(config, SegmenterConfig | DetectorConfig):
        return config.backbone
    return config


def config_from(values: Any) -> ModelConfig:
    """Build a config from a value in a file.

    Args:
        values: A parsed JSON value.

    Raises:
        ConfigError: It is not a group of settings, or a setting is wrong.
        PluginError: It has an unregistered part.
    """
    if not isinstance(values, dict):
        raise ConfigError("the config is not a group of settings")
    check_registered(values)
    family = values.get("family")
    kinds: dict[Any, type[ResNeXtConfig | SegmenterConfig | DetectorConfig]] = {
        "resnext": ResNeXtConfig,
        **dict.fromkeys(get_args(Head), SegmenterConfig),
        **dict.fromkeys(DETECTORS, DetectorConfig),
    }
    try:
        kind = kinds.get(family, BaselineConfig) if isinstance(family, str) else BaselineConfig
        return kind(**values)
    except TypeError:
        raise ConfigError("the config is not a group of settings") from None


def backbone_of(model: ModelConfig) -> ResNeXtConfig | None:
    """Return the residual network of a network: itself, or what its heads are on; None without."""
    found = getattr(model, "backbone", model)
    return found if isinstance(found, ResNeXtConfig) else None
