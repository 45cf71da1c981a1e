"""Starting from trained weights: a new head, frozen stages, frozen BN."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from resnext.errors import CheckpointError, ConfigError
from resnext.model.config import BaselineConfig, DetectorConfig, ModelConfig, ResNeXtConfig
from resnext.model.config import body_of as network_behind
from resnext.model.create import create_model
from resnext.model.names import config_from, name_of
from resnext.runs.config import TrainConfig
from resnext.training.head import (
    bodies_of,
    body_layers,
    head_keys,
    head_modules,
    output_keys,
)
from resnext.weights.file import Weights
from resnext.weights.own_file import load_into, misfit

_AUX = "aux_classifier."
_COUNTER = ".num_batches_tracked"


def load_pretrained(model: nn.Module, weights: Weights, classes: tuple[str, ...]) -> None:
    """Copy trained weights into a network; the head stays new where the classes differ.

    A segmenter or detector takes the weights of a classifier for its backbone. Those of another one
    also give it their head, but for the layers that have a row for each class.

    Args:
        model: The network, with fresh weights.
        weights: Trained weights of the same architecture or backbone, with or without a head.
        classes: Class names of the new training.

    Raises:
        CheckpointError: The weights do not fit the network.
    """
    state, fresh = _renamed(model, weights), model.state_dict()
    renewed = _aux_only(fresh, state)
    knows_classes = weights.has_head and _same_classes(weights, classes)
    if not knows_classes or _is_other_kind(model, weights):
        renewed += _renewed(model, weights)
    load_into(model, state | {name: fresh[name] for name in renewed})


def check_pretrained(config: ModelConfig, weights: Weights) -> None:
    """Compare trained weights with a network before it is built; heads may differ.

    Raises:
        CheckpointError: They do not fit; the message lists what is wrong and names the
            network that they do fit.
    """
    with torch.device("meta"):
        model = create_model(config)
    heads, state = _renewed(model, weights), _renamed(model, weights)
    fresh = model.state_dict()
    heads += _aux_only(fresh, state)
    wanted = {name: t for name, t in fresh.items() if name not in heads}
    given = {name: t for name, t in state.items() if name not in heads}
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


def _is_other_kind(model: nn.Module, weights: Weights) -> bool:
    """Tell whether weights of a classifier go into the backbone of another network."""
    return "" not in bodies_of(model) and isinstance(weights.config, ResNeXtConfig)


def _renamed(model: nn.Module, weights: Weights) -> dict[str, torch.Tensor]:
    """Return weights under the names that they have in the network."""
    if not _is_other_kind(model, weights):
        has_aux = any(name.startswith(_AUX) for name in model.state_dict())
        state = {n: t for n, t in weights.state.items() if has_aux or not n.startswith(_AUX)}
    else:
        state = {
            _place(model, name) + name: tensor
            for name, tensor in weights.state.items()
            if not name.startswith("fc.")
        }
    is_detector = isinstance(getattr(model, "config", None), DetectorConfig)
    return _fit_counters(model, state) if is_detector else state


def _place(model: nn.Module, name: str) -> str:
    """Return what stands before the name of one of the body's weights."""
    first, *others = bodies_of(model).items()
    part = name.partition(".")[0]
    return next((prefix for prefix, body in others if hasattr(body, part)), first[0])


def _fit_counters(model: nn.Module, state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Add or leave out the batch counters of BN, which a frozen one lacks."""
    fresh = model.state_dict()
    kept = {n: t for n, t in state.items() if n in fresh or not n.endswith(_COUNTER)}
    counters = {n: t for n, t in fresh.items() if n.endswith(_COUNTER)}
    return counters | kept


def _renewed(model: nn.Module, weights: Weights) -> list[str]:
    """Return the names of the weights that are new where the classes differ."""
    return head_keys(model) if _is_other_kind(model, weights) else output_keys(model)


def _aux_only(fresh: Mapping[str, torch.Tensor], state: Mapping[str, torch.Tensor]) -> list[str]:
    """Return the names of a second head that only the network has; it is for training alone."""
    if any(name.startswith(_AUX) for name in state):
        return []
    return [name for name in fresh if name.startswith(_AUX)]


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
    is_detector = isinstance(config.model, DetectorConfig)
    model.train(not head_only or is_detector)  # a detector only computes its loss in this mode
    if head_only:
        for body in bodies_of(model).values():
            body.eval()
        for _, module in head_modules(model):
            module.train()
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
    backbone = network_behind(config.model)
    assert isinstance(backbone, ResNeXtConfig)  # baselines were refused
    num_stages = len(backbone.blocks_per_stage)
    if config.freeze_until > num_stages:
        raise ConfigError(
            f"freeze_until={config.freeze_until}: the network has {num_stages} stages"
        )
    stages = {f"layer{stage + 1}" for stage in range(config.freeze_until)}
    return [
        module for name, module in body_layers(model).items() if name in stages | {"conv1", "bn1"}
    ]


def _norms(model: nn.Module) -> list[nn.Module]:
    return [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
