"""Which part of a network is its head, and which the body that weights are carried over to."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

from resnext.model.backbone import Backbone
from resnext.model.detector_config import DetectorConfig


def bodies_of(model: nn.Module) -> dict[str, nn.Module]:
    """Return the layers before the head by what stands before the names of their weights.

    Those of a backbone, or the network itself. A detector without a pyramid has the last stage of
    its backbone in another place than the stages before it.
    """
    config = getattr(model, "config", None)
    prefixes: tuple[str, ...] = ()
    if isinstance(config, DetectorConfig):
        prefixes = config.body_prefixes
    elif isinstance(getattr(model, "backbone", None), Backbone):
        prefixes = ("backbone.",)
    found = {prefix: model.get_submodule(prefix.removesuffix(".")) for prefix in prefixes}
    return found or {"": model}


def body_layers(model: nn.Module) -> dict[str, nn.Module]:
    """Return the parts of the body by name: the stem's layers, `layer1`, `layer2`, ..."""
    return {
        name: module for body in bodies_of(model).values() for name, module in body.named_children()
    }


def head_modules(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Yield the modules that are reinitialised for other classes, with names.

    That is the last linear layer of a classifier, in every family we build, and all that stands
    upon the backbone of a segmenter or detector, of which a pyramid is a part.
    """
    bodies = bodies_of(model)
    if "" in bodies:
        yield [pair for pair in model.named_modules() if isinstance(pair[1], nn.Linear)][-1]
        return
    yield from _outside(model, "", tuple(bodies))


def _outside(
    module: nn.Module, name: str, bodies: tuple[str, ...]
) -> Iterator[tuple[str, nn.Module]]:
    """Yield the largest parts of a module that hold nothing of the bodies."""
    for child_name, child in module.named_children():
        full = f"{name}{child_name}"
        if f"{full}." in bodies:
            continue
        if any(body.startswith(f"{full}.") for body in bodies):
            yield from _outside(child, f"{full}.", bodies)
        else:
            yield full, child


def head_keys(model: nn.Module) -> list[str]:
    """Return the state-dict names of the head."""
    return [f"{name}.{key}" for name, module in head_modules(model) for key in module.state_dict()]


_OUTPUT_LAYERS = (
    "head.classification_head.cls_logits",
    "roi_heads.box_predictor.cls_score",
    "roi_heads.box_predictor.bbox_pred",
    "roi_heads.mask_predictor.mask_fcn_logits",
)
"""Layers of detectors with rows for each class."""


def output_keys(model: nn.Module) -> list[str]:
    """Return the state-dict names of the last layers, which have a row for each class."""
    if isinstance(getattr(model, "config", None), DetectorConfig):
        return [name for name in model.state_dict() if name.rpartition(".")[0] in _OUTPUT_LAYERS]
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
