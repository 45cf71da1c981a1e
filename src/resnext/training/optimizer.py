"""Builds SGD, as in the paper, or AdamW, with decay and learning rate per parameter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from resnext.errors import ConfigError
from resnext.runs.config import OptimConfig
from resnext.training.head import bodies_of, body_layers, head_modules

_SECOND_BETA = 0.999


def build_optimizer(model: nn.Module, config: OptimConfig) -> torch.optim.Optimizer:
    """Group the trainable parameters and build torch's fused SGD or AdamW.

    Each group has `lr_scale`, which multiplies the scheduled learning rate.

    Args:
        model: The network; frozen parameters are left out.
        config: Momentum, decay, the head's factor and the decay over stages.

    Returns:
        The optimiser; the learning rate is set at each step.

    Raises:
        ConfigError: `layer_decay` is not 1 and the network has no stages.
    """
    norms = _norm_parameters(model)
    scales = _lr_scales(model, config)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter in model.parameters():
        if not parameter.requires_grad:
            continue
        decays = config.decay_norm or id(parameter) not in norms
        decay = config.weight_decay if decays else 0.0
        groups.setdefault((decay, scales[id(parameter)]), []).append(parameter)
    parameters = [
        {"params": members, "weight_decay": decay, "lr_scale": scale}
        for (decay, scale), members in groups.items()
    ]
    return _adamw(parameters, config) if config.kind == "adamw" else _sgd(parameters, config)


def _sgd(groups: list[dict[str, Any]], config: OptimConfig) -> torch.optim.SGD:
    optimizer = torch.optim.SGD(
        groups,
        lr=config.lr,
        momentum=config.momentum,
        nesterov=config.nesterov and config.momentum > 0,
        fused=True,  # one pass over memory instead of one an operation
    )
    if config.momentum > 0:
        for parameter in _parameters(optimizer):
            optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
    return optimizer


def _adamw(groups: list[dict[str, Any]], config: OptimConfig) -> torch.optim.AdamW:
    optimizer = torch.optim.AdamW(
        groups, lr=config.lr, betas=(config.momentum, _SECOND_BETA), fused=True
    )
    for parameter in _parameters(optimizer):
        optimizer.state[parameter] = {
            "step": torch.zeros((), device=parameter.device),
            "exp_avg": torch.zeros_like(parameter),
            "exp_avg_sq": torch.zeros_like(parameter),
        }
    return optimizer


def set_lr(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """Set this step's learning rate in every group, times the group's own factor."""
    for group in optimizer.param_groups:
        group["lr"] = lr * group["lr_scale"]


def _parameters(optimizer: torch.optim.Optimizer) -> Iterator[nn.Parameter]:
    """Yield the parameters, and create their state before the first step.

    torch creates it at that step. If that step overflows in fp16 and is skipped, SGD's momentum
    would stay uninitialised, and the second step would read arbitrary memory.
    """
    for group in optimizer.param_groups:
        yield from group["params"]


def _norm_parameters(model: nn.Module) -> set[int]:
    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    return {id(parameter) for norm in norms for parameter in norm.parameters()}


def _lr_scales(model: nn.Module, config: OptimConfig) -> dict[int, float]:
    """Return the factor of each parameter's learning rate, by the parameter's id.

    The head has `head_lr_factor`. Of S stages, stage s has `layer_decay` to the power S + 1 - s,
    and the stem, with an embedding, to the power S + 1. The last BN of a pre-activation network
    counts with the stage before it. Frozen stages are counted, so freezing does not change rates.

    Source: Howard and Ruder, arXiv 1801.06146, section 3.2 (each layer the rate of the one
    above, divided by 2.6); grouped by stage here, while timm's `layer_decay` goes by block.
    """
    distances = {} if config.layer_decay == 1.0 else _distances(model, config.layer_decay)
    scales = {
        id(parameter): config.layer_decay ** distances[name.partition(".")[0]] if distances else 1.0
        for body in bodies_of(model).values()
        for name, parameter in body.named_parameters()
    }
    heads = [parameter for _, head in head_modules(model) for parameter in head.parameters()]
    return scales | {id(parameter): config.head_lr_factor for parameter in heads}


def _distances(model: nn.Module, layer_decay: float) -> dict[str, int]:
    """Return each part's distance from the classifier, in stages, by the part's name."""
    stages = [name for name in body_layers(model) if name.startswith("layer")]
    if not stages:
        raise ConfigError(
            f"layer_decay={layer_decay}: {type(model).__name__} has no stages to decay the "
            "learning rate over; leave it at 1, and use head_lr_factor for the classifier"
        )
    stem = len(stages) + 1
    distances = {stage: stem - number for number, stage in enumerate(stages, 1)}
    return distances | {"embed": stem, "conv1": stem, "bn1": stem, "norm": 1, "fc": 0}
