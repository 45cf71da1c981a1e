"""A training step of ours, through the whole loop, against the same network of the peers.

Peer: torchvision's modules in the default layout, plain SGD with Nesterov momentum, the step
of its reference script in fp32, its default, and with bf16 autocast, its option. Ours:
`TrainStep.run` on batches of `TrainLoader`, as `resnext train` runs it, memory settings and
precision included. Each side has a process of its own with the same threads; they take turns,
so that only one works at a time.

    python -m bench.step --pairs 5 --threads 2
"""

from __future__ import annotations

import argparse
import multiprocessing
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection

import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from resnext.data.array_split import ArraySplit
from resnext.data.augment.config import AugmentConfig
from resnext.data.config import DataConfig
from resnext.data.loading.batch import Batch
from resnext.data.loading.config import TrainLoaderConfig
from resnext.data.loading.train_loader import TrainLoader
from resnext.data.split import DataInfo
from resnext.model.names import config_from
from resnext.runs.config import RuntimeConfig, TrainConfig
from resnext.runs.runtime import open_runtime
from resnext.training.step import TrainStep
from resnext.training.train import build_train_step

_NUM_IMAGES = 512


class Cifar29(nn.Module):
    """ResNeXt-29 8x64d from torchvision's own blocks, which has no CIFAR network."""

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


CASES: dict[str, tuple[Callable[[], nn.Module], int, int, int]] = {
    "resnext50_32x4d": (torchvision.models.resnext50_32x4d, 1000, 16, 224),
    "resnext29_8x64d": (Cifar29, 10, 8, 32),
}


def peer_step(
    model: nn.Module, num_classes: int, batch: int, side: int, *, in_bf16: bool
) -> Callable[[], None]:
    """Return torchvision's step on one fixed batch, which costs it no loading."""
    optimizer = torch.optim.SGD(
        model.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=1e-4
    )
    images_bchw = torch.randn(batch, 3, side, side)
    targets_b = torch.randint(0, num_classes, (batch,))

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=in_bf16):
            loss = F.cross_entropy(model(images_bchw), targets_b)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()

    return step


def our_step(name: str, num_classes: int, batch: int, side: int) -> Callable[[], None]:
    """Return our step through the loop."""
    train_step, batches = _ours(name, num_classes, batch, side)

    def step() -> None:
        train_step.run(next(batches), 0.01)

    return step


def bare_step(name: str, num_classes: int, batch: int, side: int) -> Callable[[], None]:
    """Return forward, backward and optimiser step alone, of the same network and layout."""
    train_step, batches = _ours(name, num_classes, batch, side)
    model, optimizer, fixed = train_step.model, train_step.optimizer, next(batches)

    def step() -> None:
        with train_step.runtime.autocast():
            loss = F.cross_entropy(model(fixed.images_bchw), fixed.targets_b)
        torch.autograd.backward(loss)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def _ours(name: str, num_classes: int, batch: int, side: int) -> tuple[TrainStep, Iterator[Batch]]:
    config = TrainConfig(
        model=config_from(name, num_classes=num_classes),
        data=DataConfig(image_size_px=side),
        batch_size=batch,
        runtime=RuntimeConfig(device="cpu"),
    )
    info = DataInfo("noise", tuple(map(str, range(num_classes))), 3, side, (0.5,) * 3, (0.25,) * 3)
    with open_runtime(config.runtime) as runtime:
        train_step = build_train_step(config, info, runtime)
    images = torch.randint(0, 256, (_NUM_IMAGES, side, side, 3), dtype=torch.uint8)
    split = ArraySplit(images, torch.randint(0, num_classes, (_NUM_IMAGES,)))
    augment = AugmentConfig(crop="pad", flip=True)
    loading = TrainLoaderConfig(augment=augment, batch_size=batch, seed=0, device=runtime.device)
    return train_step, _endless(TrainLoader(split, info, loading))


def _endless(loader: TrainLoader) -> Iterator[Batch]:
    epoch = 0
    while True:
        yield from loader.epoch(epoch)
        epoch += 1


def _serve(connection: Connection, side_name: str, name: str, num_threads: int) -> None:
    """Do one step whenever asked, and answer with its seconds."""
    torch.set_num_threads(num_threads)
    torch.manual_seed(0)
    build, *sizes = CASES[name]
    if side_name.startswith("peer"):
        step = peer_step(build(), *sizes, in_bf16=side_name == "peer in bf16")
    else:
        step = (our_step if side_name == "ours" else bare_step)(name, *sizes)
    while connection.recv():
        start = time.perf_counter()
        step()
        connection.send(time.perf_counter() - start)


def measure(name: str, num_pairs: int, num_threads: int) -> None:
    """Print the median ratios of one network, with the spread over the pairs."""
    context = multiprocessing.get_context("spawn")
    sides: dict[str, Connection] = {}
    for side in ("peer", "peer in bf16", "ours", "bare"):
        sides[side], theirs = context.Pipe()
        context.Process(target=_serve, args=(theirs, side, name, num_threads)).start()
    times: dict[str, list[float]] = {side: [] for side in sides}
    for number in range(num_pairs + 1):
        for side, connection in sides.items():
            connection.send(True)
            seconds = connection.recv()
            if number:  # the first round warms up
                times[side].append(seconds)
    for connection in sides.values():
        connection.send(False)
    batch, size = CASES[name][2:]
    for title, top, bottom in (
        ("ours / torchvision", "ours", "peer"),
        ("ours / torchvision in bf16", "ours", "peer in bf16"),
        ("loop / bare", "ours", "bare"),
    ):
        ratios = [a / b for a, b in zip(times[top], times[bottom], strict=True)]
        print(
            f"{name}, {batch} images of {size}: {title} {statistics.median(ratios):.3f} "
            f"({min(ratios):.3f} to {max(ratios):.3f}, n={num_pairs})"
        )


def _default_dtype() -> str:
    with open_runtime(RuntimeConfig(device="cpu")) as runtime:
        return str(runtime.dtype).removeprefix("torch.")


def main() -> None:
    """Measure both networks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    print(
        f"torch {torch.__version__}, torchvision {torchvision.__version__}, "
        f"{arguments.threads} threads, {platform.machine()}, "
        f"{torch.backends.cpu.get_cpu_capability()}, ours in "
        f"{_default_dtype()}"
    )
    for name in CASES:
        measure(name, arguments.pairs, arguments.threads)


if __name__ == "__main__":
    main()
