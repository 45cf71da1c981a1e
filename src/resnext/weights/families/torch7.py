"""Converts the authors' Torch7 networks, ordered trees of modules, to tensors under our names.

Order in the tree replaces names. Stem, stages, pooling and classifier form one sequence; a stage is
a sequence of blocks; a block adds a branch and a shortcut. Form (b) of the block has its paths in a
table of branches; it is converted to form (c), which computes the same.

Source: facebookresearch/ResNeXt, models/resnext.lua; fb.resnet.torch, models/resnet.lua.
"""

from __future__ import annotations

from typing import Any

import torch

from resnext.errors import CheckpointError
from resnext.weights.torch7.layers import Copies, Layer, Sequence, shown
from resnext.weights.torch7.values import TorchObject

State = dict[str, torch.Tensor]

EPS = 1e-5
"""Epsilon of our BN: the default of PyTorch and of Torch7."""

_CONV = ("SpatialConvolution", "SpatialConvolutionMM")
_NORM = "SpatialBatchNormalization"


def from_torch7(root: Any) -> State:
    """Convert a network of the authors to tensors under our names.

    Args:
        root: The result of `read_torch7`: the network, the network in an
            `nn.DataParallelTable`, or a table with either as `model`.

    Returns:
        The state dict of the network in form (c): float32, in its own memory. A convolution's
        bias, found in files from old cuDNN bindings, moves into the mean of the following BN; an
        inverse deviation (`running_std`, in even older files) becomes a variance.

    Raises:
        CheckpointError: A module is unknown, is not the one that the authors' networks have in
            that position, or has other strides than ours.
    """
    layers = _network(root).sequence()
    state = _stem(layers)
    number = 0
    while layers.next_is("Sequential"):
        number += 1
        stage = layers.take("Sequential")
        if not stage.children():
            raise stage.error("a stage without blocks")
        for index, block in enumerate(stage.children()):
            stride = 2 if number > 1 and index == 0 else 1
            state |= _prefixed(f"layer{number}.{index}.", _block(block, stride))
    layers.take("SpatialAveragePooling")
    if layers.next_is("View", "Reshape"):
        layers.take("View", "Reshape")
    state |= _classifier(layers.take("Linear"))
    layers.finish()
    return state


def _network(root: Any) -> Layer:
    found = root.get("model") if isinstance(root, dict) else root
    if not isinstance(found, TorchObject):
        keys = ", ".join(map(repr, list(root)[:6])) if isinstance(root, dict) else ""
        held = f"a table of {keys}" if isinstance(root, dict) else type(root).__name__
        raise CheckpointError(
            f"the file contains {held} but no network, alone or as 'model'; of a training run's "
            "files, give model_<epoch>.t7 or model_best.t7"
        )
    network = Layer(found, "", Copies())
    if found.class_name == "nn.DataParallelTable":  # one network, and replicas of it in old files
        return Sequence(network).take("Sequential")
    return network


def _stem(layers: Sequence) -> State:
    conv = layers.take(*_CONV)
    kernel = conv.integer("kW")
    if kernel not in (3, 7):
        raise conv.error(f"a first convolution of kernel {kernel}; 3 (CIFAR) or 7 (ImageNet)")
    state = _conv_norm("1", conv, layers, kernel, stride=2 if kernel == 7 else 1)
    layers.take("ReLU")
    if kernel == 7:
        layers.take("SpatialMaxPooling").expect(
            kW=3, kH=3, dW=2, dH=2, padW=1, padH=1, ceil_mode=False
        )
    return state


def _block(block: Layer, stride: int) -> State:
    layers = block.sequence()
    summands = Sequence(layers.take("ConcatTable"))
    branch = summands.take("Sequential").sequence()
    shortcut = summands.take("Sequential", "Identity")
    summands.finish()
    layers.take("CAddTable")
    layers.take("ReLU")
    layers.finish()
    return _branch(branch, stride) | _shortcut(shortcut, stride)


def _branch(layers: Sequence, stride: int) -> State:
    """Map the residual branch: two 3x3, or 1x1, 3x3, 1x1 in form (c) or (b)."""
    if layers.next_is("ConcatTable"):
        state = _paths(layers.take("ConcatTable"), stride)
        layers.take("JoinTable").expect(dimension=2)
    elif len(layers) > 5:  # convolutions and BN with ReLU between: 5 layers or 8
        state = _conv_norm("1", layers.take(*_CONV), layers, 1, 1)
        layers.take("ReLU")
        state |= _conv_norm("2", layers.take(*_CONV), layers, 3, stride)
        layers.take("ReLU")
    else:
        state = _conv_norm("1", layers.take(*_CONV), layers, 3, stride)
        layers.take("ReLU")
        state |= _conv_norm("2", layers.take(*_CONV), layers, 3, 1)
        layers.finish()
        return state
    state |= _conv_norm("3", layers.take(*_CONV), layers, 1, 1)
    layers.finish()
    return state


def _paths(table: Layer, stride: int) -> State:
    """Join the paths of form (b): the outputs of grouped convolutions, group by group."""
    paths = []
    for path in table.children():
        layers = path.sequence()
        state = _conv_norm("1", layers.take(*_CONV), layers, 1, 1)
        layers.take("ReLU")
        paths.append(state | _conv_norm("2", layers.take(*_CONV), layers, 3, stride))
        layers.take("ReLU")
        layers.finish()
    shapes = {tuple(tensor.shape for tensor in path.values()) for path in paths}
    if len(shapes) != 1:
        raise table.error("its paths have different shapes, or there are none")
    return {
        name: torch.cat([path[name] for path in paths]) if tensor.ndim else tensor
        for name, tensor in paths[0].items()
    }


def _shortcut(shortcut: Layer, stride: int) -> State:
    """Map a projection (types B and C); identity and zero padding (type A) have no weights."""
    if shortcut.kind == "Identity":
        return {}
    layers = shortcut.sequence()
    if layers.next_is("SpatialAveragePooling"):
        layers.take("SpatialAveragePooling").expect(kW=1, kH=1, dW=stride, dH=stride)
        padded = Sequence(layers.take("Concat", "DepthConcat"))
        padded.take("Identity")
        padded.take("MulConstant").expect(constant_scalar=0)
        padded.finish()
        layers.finish()
        return {}
    conv = layers.take(*_CONV)
    weight = _conv(conv, 1, stride)
    tensors = _norm(layers.take(_NORM), conv)
    layers.finish()
    return {"downsample.0.weight": weight} | _prefixed("downsample.1.", tensors)


def _classifier(linear: Layer) -> State:
    weight = linear.module.fields.get("weight")
    if not isinstance(weight, torch.Tensor) or weight.ndim != 2:
        raise linear.error("its weight is not a matrix")
    num_classes, channels = weight.shape
    return {
        "fc.weight": linear.tensor("weight", (num_classes, channels)),
        "fc.bias": linear.tensor("bias", (num_classes,)),
    }


def _conv_norm(number: str, conv: Layer, layers: Sequence, kernel: int, stride: int) -> State:
    """Map a convolution and the BN that must follow it."""
    weight = _conv(conv, kernel, stride)
    tensors = _norm(layers.take(_NORM), conv)
    return {f"conv{number}.weight": weight} | _prefixed(f"bn{number}.", tensors)


def _conv(conv: Layer, kernel: int, stride: int) -> torch.Tensor:
    half = kernel // 2
    conv.expect(kW=kernel, kH=kernel, dW=stride, dH=stride, padW=half, padH=half)
    groups = conv.integer("groups", default=1)
    in_channels, out_channels = conv.integer("nInputPlane"), conv.integer("nOutputPlane")
    return conv.tensor("weight", (out_channels, in_channels // groups, kernel, kernel))


def _norm(norm: Layer, conv: Layer) -> State:
    """Map a BN and the bias of the convolution before it, which only moves the mean."""
    shape = (conv.integer("nOutputPlane"),)
    eps = norm.module.fields.get("eps", EPS)
    if not isinstance(eps, int | float):
        raise norm.error(f"eps is {shown(eps)}")
    mean = norm.tensor("running_mean", shape)
    if conv.module.fields.get("bias") is not None:
        mean -= conv.tensor("bias", shape)
    if "running_std" in norm.module.fields:  # 1 / sqrt(variance + eps)
        deviation = norm.tensor("running_std", shape).double()
        variance = (deviation.pow(-2) - eps).float()
    else:
        variance = norm.tensor("running_var", shape)
    return {
        "weight": norm.tensor("weight", shape),
        "bias": norm.tensor("bias", shape),
        "running_mean": mean,
        "running_var": variance if eps == EPS else variance + (eps - EPS),
        "num_batches_tracked": torch.tensor(0),
    }


def _prefixed(prefix: str, state: State) -> State:
    return {prefix + name: tensor for name, tensor in state.items()}
