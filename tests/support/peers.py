"""Networks of other libraries in their own layer order, for comparing names and colours.

They are written from each library's documented structure, with the names that its state dicts
have; libraries that install here are used themselves instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Shape:
    """Blocks, cardinality and width of a small ImageNet network."""

    blocks: tuple[int, ...] = (2, 1, 1, 1)
    cardinality: int = 4
    width: int = 2
    widths: tuple[int, ...] = (16, 32, 64, 128)
    num_classes: int = 11


def _conv(c_in: int, c_out: int, k: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(c_in, c_out, k, stride, k // 2, groups=groups, bias=False)


class PyclsTransform(nn.Module):
    """pycls' BottleneckTransform: a, a_bn, b, b_bn, c, c_bn."""

    def __init__(self, c_in: int, c_mid: int, c_out: int, stride: int, groups: int) -> None:
        super().__init__()
        self.a, self.a_bn = _conv(c_in, c_mid, 1), nn.BatchNorm2d(c_mid)
        self.b, self.b_bn = _conv(c_mid, c_mid, 3, stride, groups), nn.BatchNorm2d(c_mid)
        self.c, self.c_bn = _conv(c_mid, c_out, 1), nn.BatchNorm2d(c_out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.a_bn(self.a(x)))
        x = F.relu(self.b_bn(self.b(x)))
        y: torch.Tensor = self.c_bn(self.c(x))
        return y


class PyclsBlock(nn.Module):
    """pycls' ResBlock: proj and bn where the shape changes, f."""

    def __init__(self, c_in: int, c_mid: int, c_out: int, stride: int, groups: int) -> None:
        super().__init__()
        self.has_proj = c_in != c_out or stride != 1
        if self.has_proj:
            self.proj, self.bn = _conv(c_in, c_out, 1, stride), nn.BatchNorm2d(c_out)
        self.f = PyclsTransform(c_in, c_mid, c_out, stride, groups)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        shortcut = self.bn(self.proj(x)) if self.has_proj else x
        return F.relu(shortcut + self.f(x))


class PyclsStem(nn.Module):
    """pycls' ResStemIN: conv, bn, max pool."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.bn = _conv(3, 64, 7, 2), nn.BatchNorm2d(64)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.max_pool2d(F.relu(self.bn(self.conv(x))), 3, 2, 1)


class PyclsHead(nn.Module):
    """pycls' ResHead: average pool, fc."""

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        self.fc = nn.Linear(channels, num_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.fc(x.mean((2, 3)))
        return y


def pycls_network(shape: Shape) -> nn.Module:
    """stem, s1 to s4 of b1, b2, ..., head."""
    network = nn.Sequential()
    network.add_module("stem", PyclsStem())
    for number, stage in enumerate(_stages(shape, PyclsBlock), 1):
        named = nn.Sequential()
        for index, block in enumerate(stage, 1):
            named.add_module(f"b{index}", block)
        network.add_module(f"s{number}", named)
    network.add_module("head", PyclsHead(shape.widths[-1], shape.num_classes))
    return network


class NormedConv(nn.Conv2d):
    """detectron2's Conv2d: a convolution that owns its norm."""

    def __init__(self, c_in: int, c_out: int, k: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(c_in, c_out, k, stride, k // 2, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(c_out)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.norm(super().forward(x))
        return y


class Detectron2Block(nn.Module):
    """detectron2's BottleneckBlock: shortcut where the width changes, conv1 to conv3."""

    def __init__(self, c_in: int, c_mid: int, c_out: int, stride: int, groups: int) -> None:
        super().__init__()
        self.shortcut = NormedConv(c_in, c_out, 1, stride) if c_in != c_out else None
        self.conv1 = NormedConv(c_in, c_mid, 1)
        self.conv2 = NormedConv(c_mid, c_mid, 3, stride, groups)
        self.conv3 = NormedConv(c_mid, c_out, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv3(F.relu(self.conv2(F.relu(self.conv1(x)))))
        return F.relu(y + (x if self.shortcut is None else self.shortcut(x)))


class Detectron2Stem(nn.Module):
    """detectron2's BasicStem: conv1 with its norm, max pool."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = NormedConv(3, 64, 7, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.max_pool2d(F.relu(self.conv1(x)), 3, 2, 1)


class Detectron2Network(nn.Module):
    """detectron2's ResNet with a classifier: stem, res2 to res5, linear."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.stem = Detectron2Stem()
        self.res2, self.res3, self.res4, self.res5 = (
            nn.Sequential(*stage) for stage in _stages(shape, Detectron2Block)
        )
        self.linear = nn.Linear(shape.widths[-1], shape.num_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.res5(self.res4(self.res3(self.res2(self.stem(x)))))
        y: torch.Tensor = self.linear(x.mean((2, 3)))
        return y


class MMBottleneck(nn.Module):
    """mmpretrain's Bottleneck: conv1 to conv3 with bn1 to bn3, downsample."""

    def __init__(self, c_in: int, c_mid: int, c_out: int, stride: int, groups: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = _conv(c_in, c_mid, 1), nn.BatchNorm2d(c_mid)
        self.conv2, self.bn2 = _conv(c_mid, c_mid, 3, stride, groups), nn.BatchNorm2d(c_mid)
        self.conv3, self.bn3 = _conv(c_mid, c_out, 1), nn.BatchNorm2d(c_out)
        self.downsample = None
        if c_in != c_out or stride != 1:
            self.downsample = nn.Sequential(_conv(c_in, c_out, 1, stride), nn.BatchNorm2d(c_out))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(F.relu(self.bn2(self.conv2(y)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class MMBackbone(nn.Module):
    """mmpretrain's ResNeXt: conv1, bn1, layer1 to layer4."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.conv1, self.bn1 = _conv(3, 64, 7, 2), nn.BatchNorm2d(64)
        self.layer1, self.layer2, self.layer3, self.layer4 = (
            nn.Sequential(*stage) for stage in _stages(shape, MMBottleneck)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        y: torch.Tensor = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return y


class MMClassifier(nn.Module):
    """mmpretrain's ImageClassifier: backbone and a head with fc."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.backbone = MMBackbone(shape)
        self.head = PyclsHead(shape.widths[-1], shape.num_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.head(self.backbone(x))
        return y


def _stages(
    shape: Shape, block: Callable[[int, int, int, int, int], nn.Module]
) -> list[list[nn.Module]]:
    stages, c_in = [], 64
    for number, (num_blocks, c_out) in enumerate(zip(shape.blocks, shape.widths, strict=True)):
        c_mid = shape.cardinality * shape.width * 2**number
        stage = []
        for index in range(num_blocks):
            stride = 2 if number > 0 and index == 0 else 1
            stage.append(block(c_in, c_mid, c_out, stride, shape.cardinality))
            c_in = c_out
        stages.append(stage)
    return stages
