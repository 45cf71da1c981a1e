"""SGD as the paper uses it: which parameter gets which decay and learning rate."""

from __future__ import annotations

import torch
from torch import nn

from resnext.training.config import OptimConfig


def build_optimizer(model: nn.Module, config: OptimConfig) -> torch.optim.SGD:
    """Group the trainable parameters and give them to torch's fused SGD.

    Each group carries `lr_scale`, by which the scheduled learning rate is multiplied.

    Args:
        model: The network; frozen parameters are left out.
        config: Momentum, decay and the head's own factor.

    Returns:
        The optimiser, with the learning rate still to be set at each step.
    """
    head = {id(parameter) for parameter in _head(model).parameters()}
    norms = _norm_parameters(model)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter in model.parameters():
        if not parameter.requires_grad:
            continue
        decays = config.decay_norm or id(parameter) not in norms
        decay = config.weight_decay if decays else 0.0
        scale = config.head_lr_factor if id(parameter) in head else 1.0
        groups.setdefault((decay, scale), []).append(parameter)
    return torch.optim.SGD(
        [
            {"params": parameters, "weight_decay": decay, "lr_scale": scale}
            for (decay, scale), parameters in groups.items()
        ],
        lr=config.lr,
        momentum=config.momentum,
        nesterov=config.nesterov and config.momentum > 0,
        fused=True,  # one pass over memory instead of one an operation
    )


def set_lr(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """Set this step's learning rate in every group, times the group's own factor."""
    for group in optimizer.param_groups:
        group["lr"] = lr * group["lr_scale"]


def _norm_parameters(model: nn.Module) -> set[int]:
    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    return {id(parameter) for norm in norms for parameter in norm.parameters()}


def _head(model: nn.Module) -> nn.Module:
    """Return the classifier: the last linear layer, in every family we build."""
    linears = [module for module in model.modules() if isinstance(module, nn.Linear)]
    return linears[-1]
