"""The cost of any network from one run of it, on tensors that have shapes but no data.

It is the oracle of the tests: they hold the formulas, which need neither torch nor a run,
against what it sees of our own networks and of torchvision's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from resnext.complexity.cost import LayerCost
from resnext.complexity.memory import Tape
from resnext.complexity.shape import Shape

_KINDS: dict[str, tuple[type[nn.Module], ...]] = {
    "conv": (nn.Conv1d, nn.Conv2d, nn.Conv3d),
    "linear": (nn.Linear,),
    "norm": (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.GroupNorm),
}


def run_layers(model: nn.Module, image: torch.Tensor) -> list[LayerCost]:
    """Run a network once and note its layers in the order in which they run.

    Args:
        model: A network in evaluation mode.
        image: A batch of one.
    """
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
    """Run a network once and return `Cost.peak_activation_bytes`.

    Args:
        model: A network in evaluation mode.
        image: A batch of one.
    """
    recorder = _Recorder(image)
    with torch.no_grad(), recorder:
        model(image)
    return recorder.peak_bytes()


def kept_bytes(model: nn.Module, images: torch.Tensor) -> int:
    """Run a network once and return `Cost.training_activation_bytes`.

    Args:
        model: A network in training mode.
        images: A batch of two or more: BN refuses to train on a single number a channel.
    """
    parameters = {parameter.untyped_storage()._cdata for parameter in model.parameters()}
    sizes: dict[int, int] = {}
    held = []  # keeps each storage, so that no later one gets its address

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in parameters and not _is_statistic(tensor):
            sizes[storage._cdata] = storage.nbytes()
            held.append(storage)
        return tensor

    with saved_tensors_hooks(note, lambda tensor: tensor):
        model(images)
    return sum(sizes.values()) // len(images)


class _Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves it untyped
    """Notes on a tape which operation makes and uses which map."""

    def __init__(self, image: torch.Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self._tape = Tape()
        self._maps: dict[int, int] = {}
        self._held: list[Any] = []  # keeps each storage, so that no later one gets its address
        self._image = image
        self._note_new(image, ())

    def peak_bytes(self) -> int:
        self._tape.use(*self._numbers([self._image]))
        return self._tape.peak_bytes()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        outputs = func(*args, **(kwargs or {}))
        given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        inputs = self._numbers(given)
        self._tape.use(*inputs)
        passed_on = {tensor.untyped_storage()._cdata for tensor in given}
        for tensor in tree_leaves(outputs):
            # A view, or a result in place, is the map that it comes from. Integers are the
            # positions of a pool's maxima.
            is_map = tensor.is_floating_point() and not _is_statistic(tensor)
            if is_map and tensor.untyped_storage()._cdata not in passed_on:
                self._note_new(tensor, inputs)
        return outputs

    def _note_new(self, tensor: torch.Tensor, inputs: tuple[int, ...]) -> None:
        storage = tensor.untyped_storage()
        self._held.append(storage)
        self._maps[storage._cdata] = self._tape.new(tensor.numel(), *inputs)

    def _numbers(self, tensors: list[torch.Tensor]) -> tuple[int, ...]:
        keys = (tensor.untyped_storage()._cdata for tensor in tensors)
        return tuple(self._maps[key] for key in keys if key in self._maps)


def _is_statistic(tensor: torch.Tensor) -> bool:
    """Tell BN's mean and deviation, which do not grow with the batch, from maps."""
    return tensor.ndim == 1


def _noting(name: str, layers: list[LayerCost]) -> Callable[..., None]:
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
