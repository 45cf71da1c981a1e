"""Starting from trained weights: a new head, frozen stages, frozen BN."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from resnext.errors import ConfigError
from resnext.model.card import ModelCard
from resnext.model.config import BaselineConfig, ModelConfig, ResNeXtConfig
from resnext.model.load import BEST
from resnext.model.weights import load_into, read_weights
from resnext.training.config import TrainConfig


def resolve_weights(path: Path) -> Path:
    """Return the weight file that a run folder or a path stands for."""
    return path / BEST if path.is_dir() else path


def load_pretrained(model: nn.Module, path: Path, classes: tuple[str, ...]) -> None:
    """Copy trained weights into a network; the head stays new where the classes differ.

    Args:
        model: The network, with fresh weights.
        path: A run folder or a weight file.
        classes: Class names of the new training.

    Raises:
        CheckpointError: The weights do not fit the network.
    """
    config, state, card = read_weights(resolve_weights(path))
    if not _same_classes(config, card, classes):
        fresh = model.state_dict()
        for name in head_keys(model):
            state[name] = fresh[name]
    load_into(model, state)


def _same_classes(config: ModelConfig, card: ModelCard, classes: tuple[str, ...]) -> bool:
    """Tell whether a trained head predicts these classes, in their order."""
    if card.classes:
        return card.classes == classes
    return config.num_classes == len(classes)


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
