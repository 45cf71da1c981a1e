"""Change the head, input, cardinality, dimensions or block form of opened weights."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import torch

from resnext.errors import ConfigError
from resnext.model.card import ModelCard
from resnext.model.choices import Form
from resnext.model.config import DetectorConfig, ModelConfig, ResNeXtConfig, SegmenterConfig
from resnext.model.convert import convert_form
from resnext.model.signal import SignalInput
from resnext.weights.adapt import ChannelRule, adapt_in_channels, replace_head
from resnext.weights.families.recognise import add_batch_counts
from resnext.weights.file import Weights, usual_card
from resnext.weights.inflate import InflationRule, inflate
from resnext.weights.regroup import regroup

_Statistics = TypeVar("_Statistics", ModelCard, SignalInput)


def classes(weights: Weights, num_classes: int, generator: torch.Generator | None) -> Weights:
    """Replace the head; class names, thresholds and metrics no longer apply."""
    state, config = replace_head(weights.state, weights.config, num_classes, generator=generator)
    card = weights.card.replace(classes=(), thresholds=(), metrics={})
    return replace(weights, state=state, config=config, card=card, has_head=True)


def only_backbone(weights: Weights) -> Weights:
    """Return the backbone of a network without a classifier; other networks are returned unchanged.

    Frozen BN has no batch counter; the backbone's ordinary BN gets one.
    """
    config = weights.config
    if not isinstance(config, SegmenterConfig | DetectorConfig):
        return weights
    inside = config.body_prefixes if isinstance(config, DetectorConfig) else ("backbone.",)
    state = {
        name.removeprefix(prefix): tensor
        for prefix in inside
        for name, tensor in weights.state.items()
        if name.startswith(prefix)
    }
    state = add_batch_counts(state)
    return replace(weights, config=config.backbone, state=state, has_head=False)


def to_start_from(weights: Weights, model: ModelConfig | None = None) -> Weights:
    """Return what training starts from.

    Args:
        weights: The opened weights.
        model: The network to train, if it is known. A detector takes all of a detector with the
            same head, and a segmenter all of a segmenter; otherwise only the backbone is taken.
    """
    config = weights.config
    if isinstance(model, DetectorConfig):
        is_whole = isinstance(config, DetectorConfig) and _has_head(config, model)
        return weights if is_whole else undilated_backbone(weights)
    if isinstance(config, SegmenterConfig):
        is_whole = model is None or isinstance(model, SegmenterConfig)
        return weights if is_whole else undilated_backbone(weights)
    return only_backbone(weights)


def undilated_backbone(weights: Weights) -> Weights:
    """Return the backbone of a network without dilation, whose weights are the same."""
    backbone = only_backbone(weights)
    if isinstance(backbone.config, ResNeXtConfig) and backbone.config.output_stride:
        return replace(backbone, config=backbone.config.replace(output_stride=None))
    return backbone


def _has_head(config: DetectorConfig, model: DetectorConfig) -> bool:
    return (config.family, config.version) == (model.family, model.version)


def in_channels(weights: Weights, channels: int, rule: ChannelRule) -> Weights:
    """Adapt the first convolution; channel statistics follow the same rule.

    `mean` averages them over the old channels, `repeat` cycles through them. The current number of
    channels changes nothing.
    """
    if channels == weights.config.in_channels:
        return weights
    state, config = adapt_in_channels(weights.state, weights.config, channels, rule)
    card = _with_channels(weights.card, channels, rule)
    if card.signal is not None:
        card = card.replace(signal=_with_channels(card.signal, channels, rule))
    return replace(weights, state=state, config=config, card=card.replace(metrics={}))


def cardinality(weights: Weights, wanted: int) -> Weights:
    """Regroup the 3x3 convolutions; the network stays equivalent."""
    state, config = regroup(weights.state, weights.config, wanted)
    return replace(weights, state=state, config=config)


def dimensions(weights: Weights, ndim: int, rule: InflationRule) -> Weights:
    """Inflate to more spatial dimensions; metrics no longer apply.

    Neither does the preparation of signals, which is for their own dimensions: the card then has
    the usual one of such a network.
    """
    state, config = inflate(weights.state, weights.config, ndim, rule)
    card = weights.card.replace(metrics={})
    if card.signal is not None and config != weights.config:
        usual = usual_card(config)
        names = ("image_size_px", "resize_px", "mean", "std")
        card = card.replace(signal=None, **{name: getattr(usual, name) for name in names})
    return replace(weights, state=state, config=config, card=card)


def form(weights: Weights, wanted: Form) -> Weights:
    """Convert the blocks to another form; the network stays equivalent.

    Raises:
        ConfigError: The network has only one form.
    """
    config = weights.config
    if not isinstance(config, ResNeXtConfig):
        if wanted == "c":
            return weights
        raise ConfigError(f"form={wanted!r}: {config.family} has no block forms")
    changed = config.replace(form=wanted)
    assert isinstance(changed, ResNeXtConfig)
    return replace(weights, config=changed, state=convert_form(weights.state, config, wanted))


def _with_channels(of: _Statistics, channels: int, rule: ChannelRule) -> _Statistics:
    """Return a card or signal with the statistics of other channels."""
    statistics = {name: _spread(getattr(of, name), channels, rule) for name in ("mean", "std")}
    return of.replace(**statistics)


def _spread(values: tuple[float, ...], channels: int, rule: ChannelRule) -> tuple[float, ...]:
    if rule == "mean":
        return (sum(values) / len(values),) * channels
    return tuple(values[number % len(values)] for number in range(channels))
