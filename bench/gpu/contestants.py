"""The same network from three libraries, each ready for training steps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Literal

import timm
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from bench.gpu.deadline import Action
from resnext.data.array_split import ArraySplit
from resnext.data.augment.config import AugmentConfig
from resnext.data.config import DataConfig
from resnext.data.split import DataInfo, DataSet
from resnext.model.config import ModelConfig
from resnext.model.create import create_model
from resnext.model.names import config_from
from resnext.runs.config import RuntimeConfig, TrainConfig
from resnext.runs.determinism import choose_kernels
from resnext.runs.runtime import open_runtime
from resnext.training.train import assemble

Library = Literal["resnext", "timm", "torchvision"]
LIBRARIES: tuple[Library, ...] = ("resnext", "timm", "torchvision")
NUM_CLASSES = 1000

_IMAGES_IN_LOADER = 1024


@dataclass(frozen=True)
class StepSetting:
    """One way to run a network.

    Attributes:
        library: The library of the modules.
        channels_last: Images and weights are in channels_last layout.
        compiled: Compiled with `torch.compile`.
    """

    library: Library
    channels_last: bool
    compiled: bool

    @property
    def label(self) -> str:
        """The setting in words."""
        layout = "channels_last" if self.channels_last else "contiguous"
        return f"{self.library}, {layout}, {'compiled' if self.compiled else 'eager'}"


@dataclass(frozen=True)
class Load:
    """The load of a training step.

    Attributes:
        device: The device.
        batch: Images per step.
        side_px: Their height and width.
        num_classes: Number of classes.
        in_bf16: Use bf16 autocast instead of fp32.
    """

    device: torch.device
    batch: int
    side_px: int
    num_classes: int = NUM_CLASSES
    in_bf16: bool = True


def network_of(name: str, library: Library) -> nn.Module:
    """Return a network with random weights.

    Args:
        name: Its name in all three libraries, such as `resnext50_32x4d`.
        library: The library of the modules.

    Raises:
        ValueError: The library has no network of this name.
    """
    if library == "resnext":
        return create_model(name, num_classes=NUM_CLASSES)
    if library == "timm":
        network: nn.Module = timm.create_model(name, num_classes=NUM_CLASSES)
    else:
        network = torchvision.models.get_model(name, weights=None, num_classes=NUM_CLASSES)
    return network


def training_step(network: nn.Module, setting: StepSetting, load: Load) -> Action:
    """Return one step with fused SGD on a fixed batch, without loading."""
    layout = torch.channels_last if setting.channels_last else torch.contiguous_format
    network.to(load.device).to(memory_format=layout).train()
    optimizer = torch.optim.SGD(
        network.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=1e-4, fused=True
    )
    images_bchw = torch.randn(load.batch, 3, load.side_px, load.side_px, device=load.device)
    images_bchw = images_bchw.contiguous(memory_format=layout)
    labels_b = torch.randint(0, load.num_classes, (load.batch,), device=load.device)
    forward = torch.compile(network) if setting.compiled else network

    def step() -> None:
        with torch.autocast(load.device.type, torch.bfloat16, enabled=load.in_bf16):
            loss = F.cross_entropy(forward(images_bchw), labels_b)
        torch.autograd.backward(loss)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


@contextmanager
def whole_loop(
    model: ModelConfig, setting: StepSetting, load: Load, *, deterministic: bool
) -> Iterator[Action]:
    """Yield our step as `resnext train` runs it, with batches loaded from images in memory."""
    config = TrainConfig(
        model=model,
        data=DataConfig(image_size_px=load.side_px, workers=0),
        augment=AugmentConfig(crop="pad", flip=True),
        batch_size=load.batch,
        runtime=RuntimeConfig(
            device=str(load.device),
            precision="bf16",
            layout="channels_last" if setting.channels_last else "contiguous",
            compile=setting.compiled,
            deterministic=deterministic,
        ),
    )
    images = _noise(max(_IMAGES_IN_LOADER, load.batch), load.side_px)
    data = DataSet(_info(load.side_px), images, images)
    with open_runtime(config.runtime) as runtime:
        _, train_step, loaders = assemble(config, data, runtime, None)
        train_step.set_train_mode()
        batches = (batch for epoch in count() for batch in loaders.train.epoch(epoch))

        def step() -> None:
            with choose_kernels(config.runtime, load.device):  # others run in between
                train_step.run(next(batches), 0.01)

        yield step


def model_of(name: str) -> ModelConfig:
    """Return our settings of a network."""
    return config_from(name, num_classes=NUM_CLASSES)


def _noise(num: int, side_px: int) -> ArraySplit:
    images_nhwc = torch.randint(0, 256, (num, side_px, side_px, 3), dtype=torch.uint8)
    return ArraySplit(images_nhwc, torch.arange(num) % NUM_CLASSES)


def _info(side_px: int) -> DataInfo:
    classes = tuple(map(str, range(NUM_CLASSES)))
    return DataInfo("noise", classes, 3, side_px, (0.5,) * 3, (0.25,) * 3)
