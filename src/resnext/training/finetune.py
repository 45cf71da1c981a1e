"""Starting from trained weights: a new head, frozen stages, frozen BN."""

from __future__ import annotations

import torch
from torch import nn

from resnext.errors import CheckpointError, ConfigError
from resnext.model.config import BaselineConfig, ModelConfig, ResNeXtConfig
from resnext.model.create import create_model
from resnext.model.names import config_from, name_of
from resnext.runs.config import TrainConfig
from resnext.weights.file import Weights
from resnext.weights.own_file import load_into, misfit


def load_pretrained(model: nn.Module, weights: Weights, classes: tuple[str, ...]) -> None:
    """Copy trained weights into a network; the head stays new where the classes differ.

    Args:
        model: The network, with fresh weights.
        weights: Trained weights of the same architecture, with or without a head.
        classes: Class names of the new training.

    Raises:
        CheckpointError: The weights do not fit the network.
    """
    state = dict(weights.state)
    if not weights.has_head or not _same_classes(weights, classes):
        fresh = model.state_dict()
        state.update({name: fresh[name] for name in head_keys(model)})
    load_into(model, state)


def check_pretrained(config: ModelConfig, weights: Weights) -> None:
    """Compare trained weights with a network before it is built; heads may differ.

    Raises:
        CheckpointError: They do not fit; the message lists what is wrong and names the
            network that they do fit.
    """
    with torch.device("meta"):
        model = create_model(config)
    heads = head_keys(model)
    wanted = {name: t for name, t in model.state_dict().items() if name not in heads}
    given = {name: t for name, t in weights.state.items() if name not in heads}
    if complaint := misfit(wanted, given):
        raise CheckpointError(
            f"{weights.name}: the weights do not fit {name_of(config)}; {complaint}. They fit "
            f"{_flags(weights.config)}, which is taken where no --model is named"
        )


def _flags(config: ModelConfig) -> str:
    """Write the flags that name a network, for messages."""
    name = name_of(config)
    plain = config_from(name, num_classes=config.num_classes, in_channels=config.in_channels)
    values, defaults = config.model_dump(mode="json"), plain.model_dump(mode="json")
    others = [f"model.{key}={value}" for key, value in values.items() if value != defaults[key]]
    return " ".join([f"--model {name}", *(["--set", *others] if others else [])])


def _same_classes(weights: Weights, classes: tuple[str, ...]) -> bool:
    """Tell whether a trained head predicts these classes, in their order."""
    if weights.card.classes:
        return weights.card.classes == classes
    return weights.config.num_classes == len(classes)


def head_keys(model: nn.Module) -> list[str]:
    """Return the state-dict names of the classifier: the last linear layer."""
    name = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)][-1]
    return [f"{name}.weight", f"{name}.bias"]


def freeze(model: nn.Module, config: TrainConfig) -> None:
    """Stop the gradient of the stem and the first stages, or of all BN.

    Raises:
        ConfigError: The network has no such stage.
    """
    for module in _frozen_modules(model, config):
        module.requires_grad_(False)
    if config.freeze_norm:
        for norm in _norms(model):
            norm.requires_grad_(False)


def set_train_mode(model: nn.Module, config: TrainConfig, *, head_only: bool = False) -> None:
    """Put a network in training mode; what is frozen keeps its BN statistics.

    `head_only` says that nothing but the classifier learns at present.
    """
    model.train(not head_only)
    if head_only:
        return
    for module in _frozen_modules(model, config):
        module.eval()
    if config.freeze_norm:
        for norm in _norms(model):
            norm.eval()


def body_parameters(model: nn.Module) -> list[nn.Parameter]:
    """Return the parameters outside the classifier that training changes."""
    head = set(head_keys(model))
    return [
        parameter
        for name, parameter in model.named_parameters()
        if name not in head and parameter.requires_grad
    ]


def _frozen_modules(model: nn.Module, config: TrainConfig) -> list[nn.Module]:
    if not config.freeze_until:
        return []
    if isinstance(config.model, BaselineConfig):
        raise ConfigError(
            f"freeze_until has no meaning for {config.model.family}: it has no stages"
        )
    assert isinstance(config.model, ResNeXtConfig)
    num_stages = len(config.model.blocks_per_stage)
    if config.freeze_until > num_stages:
        raise ConfigError(
            f"freeze_until={config.freeze_until}: the network has {num_stages} stages"
        )
    stages = {f"layer{stage + 1}" for stage in range(config.freeze_until)}
    return [module for name, module in model.named_children() if name in stages | {"conv1", "bn1"}]


def _norms(model: nn.Module) -> list[nn.Module]:
    return [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
