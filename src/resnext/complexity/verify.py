"""Check a network's counted cost against an execution, for authors of cost rules.

The network runs on tensors without data, which needs no memory. FlopCounterMode counts the
multiply-adds of convolutions and linear layers during execution; hooks count their outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from resnext.complexity.cost import Cost
from resnext.complexity.count import count
from resnext.errors import ConfigError
from resnext.model.config import ModelConfig
from resnext.model.create import create_model

_WEIGHTED = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)


def verify_count(
    config_or_name: ModelConfig | str, input_size: int | Sequence[int] | None = None
) -> Cost:
    """Count a network's cost and compare it with what torch executes.

    Args:
        config_or_name: A config or a name.
        input_size: As for `resnext.count`.

    Returns:
        The cost.

    Raises:
        ConfigError: Parameters, multiply-adds or activations differ; the message shows both values.
    """
    cost = count(config_or_name, input_size)
    executed = _execute(config_or_name, cost.input_size)
    counted = (cost.parameters, cost.macs, cost.activations)
    names = ("parameters", "multiply-adds", "activations")
    differing = [
        f"{name}: counted {mine:,}, executed {real:,}"
        for name, mine, real in zip(names, counted, executed, strict=True)
        if mine != real
    ]
    if differing:
        raise ConfigError(f"the count differs from what torch executes: {'; '.join(differing)}")
    return cost


def _execute(
    config_or_name: ModelConfig | str, input_size: tuple[int, ...]
) -> tuple[int, int, int]:
    """Execute the network on one image; return parameters, multiply-adds and activations."""
    with torch.device("meta"):
        model = create_model(config_or_name).eval()
        image = torch.empty(1, *input_size)
    activations = biases = 0

    def see(layer: nn.Module, _: Any, output: torch.Tensor) -> None:
        nonlocal activations, biases
        activations += output.numel()
        # FlopCounterMode leaves the bias out, which is one for each number it is added to
        biases += output.numel() if isinstance(layer.bias, nn.Parameter) else 0

    for module in model.modules():
        if isinstance(module, _WEIGHTED):
            module.register_forward_hook(see)
    with FlopCounterMode(display=False) as flops, torch.no_grad():
        model(image)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return parameters, flops.get_total_flops() // 2 + biases, activations
