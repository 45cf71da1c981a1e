"""A network as it is published: blocks in form (c), with its run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from resnext.errors import CheckpointError, ConfigError
from resnext.model.card import ModelCard
from resnext.model.config import (
    BaselineConfig,
    DetectorConfig,
    ModelConfig,
    ResNeXtConfig,
    SegmenterConfig,
)
from resnext.model.convert import convert_form
from resnext.model.create import create_model
from resnext.model.names import name_of
from resnext.model.trained import TrainedNetwork
from resnext.runs.folder import CONFIG
from resnext.weights.file import Weights, usual_card
from resnext.weights.own_file import misfit
from resnext.weights.source import open_weights

Source = str | Path | TrainedNetwork | nn.Module
"""A run folder, a weight file, a name in the catalogue or on the Hub, a network returned by
`resnext.load`, or a plain module from `resnext.create_model`, whose card is then a guess."""


@dataclass(frozen=True)
class Published:
    """The network to publish.

    Attributes:
        config: The architecture, with blocks in form (c).
        state: Its tensors, under torchvision's names for networks that torchvision has.
        card: Classes, preprocessing, metrics and licence.
        run: The run folder that it comes from, if any.
        is_described: The card came with the weights; otherwise it is a guess.
    """

    config: ModelConfig
    state: dict[str, torch.Tensor]
    card: ModelCard
    run: Path | None = None
    is_described: bool = True

    @property
    def name(self) -> str:
        """The network's name, which does not include all settings."""
        return name_of(self.config)

    @property
    def input_size(self) -> tuple[int, ...]:
        """Channels and sides of the input, from the card."""
        if self.card.signal is not None:
            return (self.config.in_channels, *self.card.signal.sides)
        if isinstance(self.config, DetectorConfig):  # whose images have any size
            return (self.config.in_channels, *(self.config.min_size_px,) * 2)
        ndim = 2 if isinstance(self.config, BaselineConfig) else self.config.ndim
        return (self.config.in_channels, *(self.card.image_size_px,) * ndim)


def open_source(source: Source, *, licence: str = "", accept_licence: bool = False) -> Published:
    """Open the network to publish.

    Args:
        source: See `Source`.
        licence: Replaces the source's licence in the card.
        accept_licence: Also fetch weights that do not allow commercial use.

    Raises:
        CheckpointError: The weights are damaged or have no classifier.
        ConfigError: The network has no config or card, or they contradict each other.
        ResNeXtError: The weights cannot be found or fetched.
    """
    if isinstance(source, TrainedNetwork):
        weights, run = _of_module(source.module, source.config, source.card), None
    elif isinstance(source, nn.Module):
        weights, run = _of_module(source, _config_of(source), None), None
    else:
        weights = open_weights(source, accept_licence=accept_licence)
        run = Path(source) if (Path(source) / CONFIG).exists() else None
    if not weights.has_head:
        raise CheckpointError(
            f"{weights.name}: holds no classifier, so it cannot predict; train one: "
            f"resnext train --data DATA --weights {weights.name}"
        )
    card = weights.card.replace(licence=licence) if licence else weights.card
    _check_card(weights.name, weights.config, card)
    config, state = _in_form_c(weights.config, weights.state)
    return Published(config, state, card, run, weights.is_described)


def _in_form_c(
    config: ModelConfig, state: dict[str, torch.Tensor]
) -> tuple[ModelConfig, dict[str, torch.Tensor]]:
    if isinstance(config, SegmenterConfig):
        inside = "backbone."
        body = {k.removeprefix(inside): v for k, v in state.items() if k.startswith(inside)}
        body = convert_form(body, config.backbone, to="c")
        heads = {k: v for k, v in state.items() if not k.startswith(inside)}
        state = {**{inside + name: value for name, value in body.items()}, **heads}
        return config.replace(backbone=config.backbone.replace(form="c")), state
    if isinstance(config, DetectorConfig) and config.backbone.form != "c":
        raise ConfigError(
            f"the detector has blocks in form {config.backbone.form}; detectors are published in "
            "form c: train one with model.backbone.form=c"
        )
    if isinstance(config, ResNeXtConfig):
        return config.replace(form="c"), convert_form(state, config, to="c")
    return config, state


def _config_of(module: nn.Module) -> ModelConfig:
    config = getattr(module, "config", None)
    if not isinstance(config, ResNeXtConfig | BaselineConfig | SegmenterConfig | DetectorConfig):
        raise ConfigError(
            f"a {type(module).__name__} has no .config of resnext; pass a network from "
            "resnext.create_model or resnext.load, unwrapped (model.module)"
        )
    return config


def _of_module(module: nn.Module, config: ModelConfig, card: ModelCard | None) -> Weights:
    """Take a network in memory; without a card, its preprocessing is a guess."""
    state = {name: tensor.detach().cpu() for name, tensor in module.state_dict().items()}
    with torch.device("meta"):
        wanted = create_model(config).state_dict()
    if complaint := misfit(wanted, state):
        raise ConfigError(
            f"the network's tensors do not match its config; {complaint}. Pass the network as "
            "resnext created it: unwrapped (model.module, or before torch.compile) and unchanged"
        )
    known = card or usual_card(config).replace(classes=())
    has_head, is_described = config.num_classes > 0, card is not None
    return Weights(
        "the network", config, state, known, has_head=has_head, is_described=is_described
    )


def _check_card(name: str, config: ModelConfig, card: ModelCard) -> None:
    """Refuse a card whose preprocessing cannot work."""
    for key, values in (("mean", card.mean), ("std", card.std)):
        if len(values) != config.in_channels:
            raise ConfigError(
                f"{name}: card.{key}={values!r} has {len(values)} value(s), but the network takes "
                f"{config.in_channels} channel(s); change it: dataclasses.replace(network, "
                f"card=network.card.replace({key}=...))"
            )
    if card.classes and len(card.classes) != config.num_classes:
        raise ConfigError(
            f"{name}: card.classes names {len(card.classes)} classes, but the network has "
            f"{config.num_classes} outputs; change it: dataclasses.replace(network, "
            "card=network.card.replace(classes=...))"
        )
