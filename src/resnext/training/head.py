"""Which part of a network is its head, and which the body that weights are carried over to."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

from resnext.model.backbone import Backbone


def body_of(model: nn.Module) -> nn.Module:
    """Return the layers before the head: those of a segmenter's backbone, or the network itself."""
    backbone = getattr(model, "backbone", None)
    return backbone if isinstance(backbone, Backbone) else model


def body_prefix(model: nn.Module) -> str:
    """Return what stands before the names of the body's weights."""
    return "" if body_of(model) is model else "backbone."


def head_modules(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Yield the modules that are reinitialised for other classes, with names.

    That is the last linear layer of a classifier, in every family we build, and all that stands
    upon the backbone of a segmenter.
    """
    if body_of(model) is not model:
        yield from ((name, module) for name, module in model.named_children() if name != "backbone")
        return
    yield [pair for pair in model.named_modules() if isinstance(pair[1], nn.Linear)][-1]


def head_keys(model: nn.Module) -> list[str]:
    """Return the state-dict names of the head."""
    return [f"{name}.{key}" for name, module in head_modules(model) for key in module.state_dict()]


def output_keys(model: nn.Module) -> list[str]:
    """Return the state-dict names of the last layers, which have a row for each class."""
    found = []
    for name, module in head_modules(model):
        layers = [
            (inner, layer)
            for inner, layer in module.named_modules(prefix=name)
            if isinstance(layer, (nn.Linear, nn.Conv2d))
        ]
        last, layer = layers[-1]
        found += [f"{last}.{key}" for key in layer.state_dict()]
    return found
