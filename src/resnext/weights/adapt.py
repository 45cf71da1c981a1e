"""Adapt trained weights to other inputs or classes: a new first convolution or a new head."""

from __future__ import annotations

import math
from typing import Literal, get_args

import torch
from torch import nn

from resnext.errors import ConfigError
from resnext.model.config import (
    BaselineConfig,
    DetectorConfig,
    ModelConfig,
    ResNeXtConfig,
    SegmenterConfig,
)
from resnext.model.convert import State
from resnext.model.parts import StemPart
from resnext.model.plan import plan_network

ChannelRule = Literal["mean", "repeat"]

# The first convolution and the classifier of torchvision's networks, and its inputs.
_BASELINE_LAYERS = {
    "vgg16_bn": ("features.0", "classifier.6", 4096),
    "vgg19_bn": ("features.0", "classifier.6", 4096),
    "inception_v3": ("Conv2d_1a_3x3.conv", "fc", 2048),
}


def adapt_in_channels(
    state: State, config: ModelConfig, in_channels: int, rule: ChannelRule = "mean"
) -> tuple[State, ModelConfig]:
    """Adapt a network's first convolution to inputs with another number of channels.

    With w the weight of one of the `old` input channels, the `new` ones get:

    `mean`    sum(w) / new, all the same. An input with equal channels gets the same logits as
              from the old network; the distinction between colours is lost.
    `repeat`  w[i mod old] · old / new. Colours stay distinct. The logits for equal channels are
              unchanged only if `old` divides `new`; otherwise the scale preserves the magnitude
              of the response. With fewer channels, the rest is dropped.

    "Equal channels" refers to the network's input: a grey image has them only if all channels are
    normalised with the same mean and deviation, unlike ImageNet's. The normalisation is not folded
    in.

    Args:
        state: State dict of a network built from `config`; it is not changed.
        config: The network's architecture.
        in_channels: Channels of the new input; the current number changes nothing.
        rule: timm sums for 1 channel, which is `mean`, and repeats for more.

    Returns:
        The state dict, of the same precision, and the config that it fits. All tensors but
        the first convolution's are shared with the given state.

    Raises:
        ConfigError: The number of channels or the rule is not valid.

    Source: timm, `adapt_input_conv` (https://github.com/huggingface/pytorch-image-models).
    """
    if rule not in get_args(ChannelRule):
        raise ConfigError(f"rule={rule!r}: accepted are {', '.join(get_args(ChannelRule))}")
    _require_classifier(config)
    new = config.replace(in_channels=in_channels)
    if in_channels == config.in_channels:
        return dict(state), new
    if isinstance(config, ResNeXtConfig) and isinstance(config.stem, StemPart):
        raise ConfigError(
            f"in_channels={in_channels}: only a built-in stem can be adapted, and this network has "
            f"the stem {config.stem.name!r}; give it {config.in_channels} channel(s)"
        )
    name = f"{_layers(config)[0]}.weight"
    weight = state[name]
    # In half precision the sum and the quotient would each be rounded.
    wide = weight.to(torch.promote_types(weight.dtype, torch.float32))
    adapt = _mean if rule == "mean" else _repeat
    return {**state, name: adapt(wide, in_channels).to(weight.dtype)}, new


def replace_head(
    state: State,
    config: ModelConfig,
    num_classes: int,
    *,
    generator: torch.Generator | None = None,
) -> tuple[State, ModelConfig]:
    """Replace a network's classifier; everything else is kept.

    The weight is uniform within 1/sqrt(inputs) and the bias zero, as in our new networks; the
    baselines use the same rule, unlike their library.

    Args:
        state: State dict of a network built from `config`, with or without a classifier;
            it is not changed.
        config: The network's architecture.
        num_classes: Classes of the new head; it is reinitialised even if the number is unchanged.
        generator: Random generator on the CPU; torch's global one by default.

    Returns:
        The state dict, the head in the precision and on the device of the first
        convolution, and the config that it fits. All other tensors are shared.

    Raises:
        ConfigError: The number of classes is not valid.

    Source: arXiv 1611.05431, section 4, and the released Torch code (the default of Torch).
    """
    _require_classifier(config)
    new = config.replace(num_classes=num_classes)
    if not num_classes:
        raise ConfigError("num_classes=0: a head needs at least one class")
    first, head, num_inputs = _layers(config)
    like = state.get(f"{first}.weight")
    if like is None:  # a registered stem has layers of other names
        like = next(tensor for tensor in state.values() if tensor.is_floating_point())
    weight = torch.empty(num_classes, num_inputs, device="cpu")
    nn.init.kaiming_uniform_(weight, a=math.sqrt(5), generator=generator)  # within 1/sqrt(inputs)
    bias = like.new_zeros(num_classes)
    return {**state, f"{head}.weight": weight.to(like), f"{head}.bias": bias}, new


def _require_classifier(config: ModelConfig) -> None:
    if isinstance(config, SegmenterConfig | DetectorConfig):
        raise ConfigError(
            f"{config.family}: only classifiers can be adapted to other channels or classes; "
            "build the network with them and load the backbone's weights"
        )


def _layers(config: ModelConfig) -> tuple[str, str, int]:
    """Return the first convolution, the classifier, and the channels that reach it."""
    assert not isinstance(config, SegmenterConfig | DetectorConfig)  # refused before
    if isinstance(config, BaselineConfig):
        return _BASELINE_LAYERS[config.family]
    return "conv1", "fc", plan_network(config).out_channels


def _mean(weight: torch.Tensor, in_channels: int) -> torch.Tensor:
    total = weight.sum(dim=1, keepdim=True) / in_channels
    return total.repeat_interleave(in_channels, dim=1)


def _repeat(weight: torch.Tensor, in_channels: int) -> torch.Tensor:
    old = weight.shape[1]
    sources = torch.arange(in_channels, device=weight.device) % old
    return weight[:, sources] * (old / in_channels)
