"""The authors' networks as trees of Torch7 modules, built in the order of their Lua.

The weights are those of one of our networks in form (b) or (c).

Source: facebookresearch/ResNeXt, models/resnext.lua; fb.resnet.torch, models/resnet.lua.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch7_writer import Instance, save_torch7

from resnext.model.config import ResNeXtConfig
from resnext.model.create import create_model
from resnext.model.network import ResNeXt
from resnext.weights.torch7.read import read_torch7

CIFAR = ResNeXtConfig(
    stem="cifar",
    stem_width=8,
    blocks_per_stage=(2, 2, 1),
    stage_widths=(16, 32, 64),
    cardinality=2,
    bottleneck_width=3,
    num_classes=5,
)


def made_tree(config: ResNeXtConfig, **settings: Any) -> Instance:
    """Build the tree of a network with the weights that `made_network` gives it."""
    map_px = 2 if config.stem == "imagenet" else 4
    return Builder(map_px=map_px, **settings).network(made_network(config))


def made_network(config: ResNeXtConfig) -> Any:
    """Build a network; the same config gives the same weights."""
    torch.manual_seed(0)
    return randomise(create_model(config))


def saved_and_read(folder: Path, tree: Any, **settings: Any) -> Any:
    """Write a tree as a file and read it back."""
    return read_torch7(save_torch7(folder / "model.t7", tree, **settings))


def randomise(model: nn.Module) -> nn.Module:
    """Give BN weights and statistics that differ from channel to channel."""
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for tensor in (layer.weight, layer.running_var):
                assert tensor is not None
                nn.init.uniform_(tensor, 0.5, 1.5)
            for tensor in (layer.bias, layer.running_mean):
                assert tensor is not None
                nn.init.normal_(tensor, std=0.2)
    return model.eval()


@dataclass
class Builder:
    """Builds trees.

    Attributes:
        map_px: Side of the last map, which the average pooling covers.
        dtype: Of the tensors.
        is_old: As in 2015: convolutions are matrices with a bias, BN has `running_std`.
    """

    map_px: int
    dtype: torch.dtype = torch.float32
    is_old: bool = False

    def network(self, model: ResNeXt) -> Instance:
        stem, fc = model.conv1, model.fc
        layers = [*self.conv_norm(stem, model.bn1), Instance("cudnn.ReLU")]
        if model.maxpool is not None:
            window = {"kW": 3, "kH": 3, "dW": 2, "dH": 2, "padW": 1, "padH": 1}
            layers.append(Instance("nn.SpatialMaxPooling", window | {"ceil_mode": False}))
        stages = [child for name, child in model.named_children() if name.startswith("layer")]
        for stage in stages:
            assert isinstance(stage, nn.Sequential)
            layers.append(sequential(*(self.block(block) for block in stage)))
        window = {"kW": self.map_px, "kH": self.map_px, "dW": 1, "dH": 1}
        layers += [
            Instance("cudnn.SpatialAveragePooling", window),
            Instance("nn.View", {"numElements": fc.in_features, "numInputDims": 3}),
            Instance("nn.Linear", {"weight": self.cast(fc.weight), "bias": self.cast(fc.bias)}),
        ]
        return sequential(*layers)

    def block(self, block: Any) -> Instance:
        if hasattr(block, "paths"):
            paths = Instance("nn.ConcatTable", modules(*(self.path(path) for path in block.paths)))
            join = Instance("nn.JoinTable", {"dimension": 2})
            branch = [paths, join, *self.conv_norm(block.conv3, block.bn3)]
        else:
            branch = [*self.conv_norm(block.conv1, block.bn1), Instance("cudnn.ReLU")]
            branch += self.conv_norm(block.conv2, block.bn2)
            if hasattr(block, "conv3"):
                branch += [Instance("cudnn.ReLU"), *self.conv_norm(block.conv3, block.bn3)]
        both = modules(sequential(*branch), self.shortcut(block.downsample))
        return sequential(
            Instance("nn.ConcatTable", both),
            Instance("nn.CAddTable", {"inplace": True}),
            Instance("cudnn.ReLU"),
        )

    def path(self, path: Any) -> Instance:
        relu = Instance("cudnn.ReLU")
        first = self.conv_norm(path.conv1, path.bn1)
        return sequential(*first, relu, *self.conv_norm(path.conv2, path.bn2), relu)

    def shortcut(self, shortcut: nn.Module) -> Instance:
        if isinstance(shortcut, nn.Identity):
            return Instance("nn.Identity")
        if isinstance(shortcut, nn.Sequential):
            return sequential(*self.conv_norm(*shortcut))
        stride: Any = shortcut.stride
        zeros = Instance("nn.MulConstant", {"constant_scalar": 0})
        doubled = modules(Instance("nn.Identity"), zeros)
        return sequential(
            Instance("nn.SpatialAveragePooling", {"kW": 1, "kH": 1, "dW": stride, "dH": stride}),
            Instance("nn.Concat", {"dimension": 2, **doubled}),
        )

    def conv_norm(self, conv: Any, norm: Any) -> list[Instance]:
        fields = {
            "nInputPlane": conv.in_channels,
            "nOutputPlane": conv.out_channels,
            **{f"k{side}": conv.kernel_size[0] for side in "WH"},
            **{f"d{side}": conv.stride[0] for side in "WH"},
            **{f"pad{side}": conv.padding[0] for side in "WH"},
            "groups": conv.groups,
            "weight": self.cast(conv.weight),
        }
        kind = "cudnn.SpatialConvolution"
        if self.is_old:
            kind = "nn.SpatialConvolutionMM"
            fields["weight"] = fields["weight"].flatten(1)
            fields["bias"] = self.cast(torch.randn(conv.out_channels))
        return [Instance(kind, fields), self.norm(norm)]

    def norm(self, norm: Any) -> Instance:
        fields = {name: self.cast(getattr(norm, name)) for name in ("weight", "bias")}
        fields |= {"running_mean": self.cast(norm.running_mean), "eps": norm.eps}
        if self.is_old:
            fields["running_std"] = self.cast((norm.running_var + norm.eps).rsqrt())
        else:
            fields["running_var"] = self.cast(norm.running_var)
        return Instance("nn.SpatialBatchNormalization", fields)

    def cast(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.detach().to(self.dtype)


def modules(*children: Instance) -> dict[str, list[Instance]]:
    return {"modules": list(children)}


def sequential(*children: Instance) -> Instance:
    return Instance("nn.Sequential", modules(*children))
