"""The peers' networks in `bench.step`, and their fastest settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import timm
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from bench.gpu.contestants import Load, StepSetting, training_step


class Cifar29(nn.Module):
    """ResNeXt-29 8x64d made of torchvision's blocks, since torchvision has no CIFAR network."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        blocks: list[nn.Module] = []
        channels = 64
        for planes in (64, 128, 256):
            for index in range(3):
                stride = 2 if planes > 64 and index == 0 else 1
                blocks.append(self._block(channels, planes, stride))
                channels = 4 * planes
        self.blocks = nn.Sequential(*blocks)
        self.fc = nn.Linear(channels, 10)

    @staticmethod
    def _block(channels: int, planes: int, stride: int) -> nn.Module:
        project = None
        if channels != 4 * planes:
            project = nn.Sequential(
                nn.Conv2d(channels, 4 * planes, 1, stride, bias=False), nn.BatchNorm2d(4 * planes)
            )
        block = torchvision.models.resnet.Bottleneck(
            channels, planes, stride, project, groups=8, base_width=64
        )
        assert isinstance(block, nn.Module)
        return block

    def forward(self, x_bchw: torch.Tensor) -> torch.Tensor:
        """Return the logits, b x 10."""
        x_bchw = self.blocks(F.relu(self.bn1(self.conv1(x_bchw)), inplace=True))
        logits: torch.Tensor = self.fc(x_bchw.mean(dim=(2, 3)))
        return logits


@dataclass(frozen=True)
class Case:
    """One network in each library.

    Attributes:
        peers: Builds a library's network.
        load: Batch size, image size and classes.
    """

    peers: dict[str, Callable[[], nn.Module]]
    load: Load


def load_of(batch: int, side_px: int, num_classes: int) -> Load:
    """Return a load on the CPU, in bf16 if the CPU supports it."""
    in_bf16 = bool(torch.cpu.get_capabilities().get("avx512_bf16"))
    return Load(torch.device("cpu"), batch, side_px, num_classes, in_bf16)


CASES: dict[str, Case] = {
    "resnext50_32x4d": Case(
        {
            "torchvision": torchvision.models.resnext50_32x4d,
            "timm": lambda: timm.create_model("resnext50_32x4d"),
        },
        load_of(16, 224, 1000),
    ),
    "resnext29_8x64d": Case({"torchvision": Cifar29}, load_of(8, 32, 10)),
}


def set_batch(name: str, batch: int | None) -> None:
    """Change the batch size of a case; None keeps its own."""
    if batch is not None:
        CASES[name] = replace(CASES[name], load=replace(CASES[name].load, batch=batch))


def best_settings() -> list[StepSetting]:
    """Return the settings that a user of a peer can choose: layout and compilation."""
    return [
        StepSetting("torchvision", channels_last, compiled)
        for compiled in (False, True)
        for channels_last in (True, False)
    ]


def best_step(name: str, library: str, setting: StepSetting) -> Callable[[], object]:
    """Return a peer's step with a fused optimiser, in bf16 if the CPU supports it."""
    case = CASES[name]
    return training_step(case.peers[library](), setting, case.load)


def default_step(name: str, library: str) -> Callable[[], None]:
    """Return a peer's step with the defaults of its script: fp32, contiguous."""
    case = CASES[name]
    model, load = case.peers[library]().train(), case.load
    optimizer = torch.optim.SGD(
        model.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=1e-4
    )
    images_bchw = torch.randn(load.batch, 3, load.side_px, load.side_px)
    labels_b = torch.randint(0, load.num_classes, (load.batch,))

    def step() -> None:
        loss = F.cross_entropy(model(images_bchw), labels_b)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()

    return step
