"""Computes a tree of Torch7 modules: what each module's documentation says, nothing more.

It is written with torch's functions and knows nothing of our networks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional as F


def run_tree(module: Any, x: Any) -> Any:
    """Compute what a tree of modules, as the reader gives it, maps an input to."""
    fields = module.fields
    kind = module.class_name.rpartition(".")[2]
    if kind == "Sequential":
        for child in children_of(fields):
            x = run_tree(child, x)
        return x
    if kind == "ConcatTable":
        return [run_tree(child, x) for child in children_of(fields)]
    if kind == "Concat":
        outputs = [run_tree(child, x) for child in children_of(fields)]
        return torch.cat(outputs, fields["dimension"] - 1)
    return _LEAVES[kind](fields, x)


def children_of(fields: Any) -> list[Any]:
    return [fields["modules"][number] for number in range(1, len(fields["modules"]) + 1)]


def _convolve(fields: Any, x: torch.Tensor) -> torch.Tensor:
    groups, weight = fields.get("groups") or 1, fields["weight"].float()
    kernel = (fields["kH"], fields["kW"])
    weight = weight.reshape(fields["nOutputPlane"], fields["nInputPlane"] // groups, *kernel)
    bias = fields["bias"].float() if fields.get("bias") is not None else None
    stride, padding = (fields["dH"], fields["dW"]), (fields["padH"], fields["padW"])
    return F.conv2d(x, weight, bias, stride, padding, groups=groups)


def _normalise(fields: Any, x: torch.Tensor) -> torch.Tensor:
    def channels(name: str) -> torch.Tensor:
        tensor: torch.Tensor = fields[name].float()
        return tensor.reshape(-1, 1, 1)

    if "running_std" in fields:
        scale = channels("running_std")
    else:
        scale = 1 / (channels("running_var") + fields["eps"]).sqrt()
    return (x - channels("running_mean")) * scale * channels("weight") + channels("bias")


def _pool(fields: Any) -> dict[str, Any]:
    return {"kernel_size": (fields["kH"], fields["kW"]), "stride": (fields["dH"], fields["dW"])}


_LEAVES: dict[str, Callable[[Any, Any], Any]] = {
    "SpatialConvolution": _convolve,
    "SpatialConvolutionMM": _convolve,
    "SpatialBatchNormalization": _normalise,
    "ReLU": lambda _, x: x.clamp(min=0),
    "Identity": lambda _, x: x,
    "MulConstant": lambda fields, x: x * fields["constant_scalar"],
    "CAddTable": lambda _, x: sum(x),
    "JoinTable": lambda fields, x: torch.cat(x, fields["dimension"] - 1),
    "SpatialMaxPooling": lambda fields, x: F.max_pool2d(
        x, **_pool(fields), padding=(fields["padH"], fields["padW"])
    ),
    "SpatialAveragePooling": lambda fields, x: F.avg_pool2d(x, **_pool(fields)),
    "View": lambda _, x: x.reshape(-1, math.prod(x.shape[-3:])),
    "Linear": lambda fields, x: x @ fields["weight"].float().t() + fields["bias"].float(),
}
