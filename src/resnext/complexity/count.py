"""The exact cost of a network for any input size, without running it."""

from __future__ import annotations

from collections.abc import Sequence

from resnext.complexity.baselines import count_baseline
from resnext.complexity.cost import Cost
from resnext.complexity.detector import count_detector
from resnext.complexity.residual import count_network
from resnext.complexity.segmenter import count_segmenter
from resnext.errors import ConfigError
from resnext.model.config import (
    BaselineConfig,
    DetectorConfig,
    ModelConfig,
    ResNeXtConfig,
    SegmenterConfig,
)
from resnext.model.names import config_from
from resnext.model.parts import StemPart

__all__ = ["Cost", "count"]


def count(config_or_name: ModelConfig | str, input_size: int | Sequence[int] | None = None) -> Cost:
    """Count parameters, multiply-adds, activations and memory of a network.

    Example:
        >>> import resnext
        >>> resnext.count("resnext50_32x4d", 224).macs
        4230480872

    Args:
        config_or_name: A config, or a name such as `resnext50_32x4d`.
        input_size: Side of the input in pixels; or its sides; or channels and sides. By default 224
            for the ImageNet stem and VGG, 32 for the CIFAR stem, 299 for Inception-v3. A ResNeXt
            accepts any side from 1, as its layers are padded.

    Returns:
        The cost for one input: in total, by stage and by layer.

    Raises:
        ConfigError: The name or the size is not valid.
    """
    config = config_from(config_or_name)
    sides = _sides(config, input_size)
    if isinstance(config, BaselineConfig):
        return count_baseline(config, sides)
    if isinstance(config, SegmenterConfig):
        return count_segmenter(config, sides)
    if isinstance(config, DetectorConfig):
        return count_detector(config, sides)
    return count_network(config, sides)


def default_side(config: ModelConfig) -> int:
    """Return the default input side of a network, in pixels."""
    if isinstance(config, BaselineConfig):
        return 299 if config.family == "inception_v3" else 224
    if isinstance(config, SegmenterConfig):
        return default_side(config.backbone)
    if isinstance(config, DetectorConfig):
        return config.min_size_px
    if isinstance(config.stem, StemPart):
        return config.stem.side_px
    return 224 if config.stem == "imagenet" else 32


def _sides(config: ModelConfig, input_size: int | Sequence[int] | None) -> tuple[int, ...]:
    ndim = config.input_ndim if isinstance(config, ResNeXtConfig) else 2
    if input_size is None:
        return (default_side(config),) * ndim
    sizes = tuple(input_size) if isinstance(input_size, Sequence) else (input_size,) * ndim
    if len(sizes) not in (ndim, ndim + 1) or not all(_is_size(size) for size in sizes):
        raise ConfigError(
            f"input_size={input_size!r}: give a side, {ndim} side(s), or channels and {ndim} "
            "side(s), each a whole number of at least 1"
        )
    if len(sizes) == ndim:
        return sizes
    if sizes[0] != config.in_channels:
        raise ConfigError(
            f"input_size={input_size!r} has {sizes[0]} channels but the network takes "
            f"{config.in_channels}; set in_channels={sizes[0]}"
        )
    return sizes[1:]


def _is_size(size: object) -> bool:
    return isinstance(size, int) and size >= 1
