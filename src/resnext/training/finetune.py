"""Starting from trained weights: a new head, frozen stages, frozen BN."""

from __future__ import annotations

from torch import nn

from resnext.errors import CheckpointError, ConfigError
from resnext.model.config import BaselineConfig, ResNeXtConfig
from resnext.model.names import name_of
from resnext.model.weights import load_into
from resnext.training.config import TrainConfig
from resnext.weights.source import Weights


def load_pretrained(model: nn.Module, weights: Weights, classes: tuple[str, ...]) -> None:
    """Copy trained weights into a network; the head stays new where the classes differ.

    Args:
        model: The network, with fresh weights.
        weights: Trained weights of the same architecture, with or without a head.
        classes: Class names of the new training.

    Raises:
        CheckpointError: The weights do not fit the network; the message names the network
            that they do fit.
    """
    state = dict(weights.state)
    if not weights.has_head or not _same_classes(weights, classes):
        fresh = model.state_dict()
        state.update({name: fresh[name] for name in head_keys(model)})
    try:
        load_into(model, state)
    except CheckpointError as error:
        fitting = name_of(weights.config)
        raise CheckpointError(
            f"{weights.name}: {error}; they fit --model {fitting}, which is taken where none "
            "is named"
        ) from None


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


def set_train_mode(model: nn.Module, config: TrainConfig) -> None:
    """Put a network in training mode; what is frozen keeps its BN statistics."""
    model.train()
    for module in _frozen_modules(model, config):
        module.eval()
    if config.freeze_norm:
        for norm in _norms(model):
            norm.eval()


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
