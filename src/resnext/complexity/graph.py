"""The cost of any network from the operations that it executes, on tensors without data.

The baselines are counted this way. For our own networks the tests hold it against the
formulas, which need no torch.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import fx, nn
from torch.fx.experimental.proxy_tensor import make_fx

from resnext.complexity.cost import Cost, LayerCost, StageCost
from resnext.complexity.memory import Tape
from resnext.complexity.rules import Shape
from resnext.errors import ConfigError
from resnext.model.config import BaselineConfig
from resnext.model.create import create_model

_ATEN = torch.ops.aten
_VIEWS = {
    *(_ATEN.view, _ATEN.t, _ATEN.slice, _ATEN.detach, _ATEN.alias, _ATEN.expand),
    *(_ATEN.squeeze, _ATEN.unsqueeze),
}
_OVERWRITING = {
    _ATEN._native_batch_norm_legit_no_training,
    _ATEN.native_batch_norm,
    _ATEN.relu,
    _ATEN.relu_,
    _ATEN.add_,
    _ATEN.add,
}
_KINDS: dict[str, tuple[type[nn.Module], ...]] = {
    "conv": (nn.Conv1d, nn.Conv2d, nn.Conv3d),
    "linear": (nn.Linear,),
    "norm": (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d),
}


def count_baseline(config: BaselineConfig, sides: tuple[int, ...]) -> Cost:
    """Count one of torchvision's networks.

    Raises:
        ConfigError: The input is too small for the network.
    """
    with torch.device("meta"):
        model = create_model(config).eval()
        image = torch.empty(1, config.in_channels, *sides)
    try:
        layers = run_layers(model, image)
        peak = peak_bytes(model, image)
    except RuntimeError as error:
        raise ConfigError(
            f"input of {'x'.join(map(str, sides))} pixels is too small for {config.family} "
            f"({error})"
        ) from None
    total = StageCost(
        config.family,
        layers[-1].output,
        sum(layer.parameters for layer in layers),
        sum(layer.macs for layer in layers),
        sum(layer.activations for layer in layers),
    )
    return Cost((config.in_channels, *sides), tuple(layers), (total,), peak)


def run_layers(model: nn.Module, image: torch.Tensor) -> list[LayerCost]:
    """Run a network once and note its layers in the order in which they run."""
    layers: list[LayerCost] = []
    handles = []
    for name, module in model.named_modules():
        if _kind(module) != "":
            handles.append(module.register_forward_hook(_noting(name, layers)))
    with torch.no_grad():
        model(image)
    for handle in handles:
        handle.remove()
    return layers


def peak_bytes(model: nn.Module, image: torch.Tensor) -> int:
    """Return the peak memory of the maps from the graph of executed operations.

    See `Cost.peak_activation_bytes` for the rules.
    """
    with torch.no_grad():
        graph = make_fx(model, tracing_mode="real")(image).graph
    tape = Tape()
    maps: dict[fx.Node, int] = {}
    for node in graph.nodes:
        if node.op == "placeholder":
            maps[node] = tape.source(image.numel())
        elif node.op == "call_function":
            _record(node, maps, tape)
    return tape.peak_bytes()


def _record(node: fx.Node, maps: dict[fx.Node, int], tape: Tape) -> None:
    """Record one operation; views and unpacked results are the map they come from."""
    inputs = [maps[source] for source in node.all_input_nodes if source in maps]
    kind = getattr(node.target, "overloadpacket", None)
    if not inputs:
        return
    if kind is None or kind in _VIEWS:
        maps[node] = inputs[0]
        return
    value: Any = node.meta.get("val", node.meta.get("tensor_meta"))
    first = value[0] if isinstance(value, (tuple, list)) else value
    size = math.prod(first.shape)
    maps[node] = tape.run(tuple(inputs), size, overwrites=kind in _OVERWRITING)


def _noting(name: str, layers: list[LayerCost]) -> Any:
    def note(module: nn.Module, _: Any, output: torch.Tensor) -> None:
        shape = Shape(output.shape[1], tuple(output.shape[2:]))
        kind = _kind(module)
        parameters = sum(parameter.numel() for parameter in module.parameters())
        macs = activations = 0
        if kind != "norm":
            weight = module.weight
            assert isinstance(weight, torch.Tensor)
            fan_in = math.prod(weight.shape[1:]) + (module.bias is not None)
            activations = shape.num_elements
            macs = activations * fan_in
        layers.append(LayerCost(name, kind, shape, 1, parameters, macs, activations))

    return note


def _kind(module: nn.Module) -> str:
    """Return conv, linear or norm; nothing for modules that hold other modules or no numbers."""
    for kind, bases in _KINDS.items():
        if isinstance(module, bases):
            return kind
    return ""
