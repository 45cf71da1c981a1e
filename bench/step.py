"""A training step of ours, through the whole loop, against the same network of the peers.

Peer: torchvision's modules in the default layout, plain SGD with Nesterov momentum, the step
of its reference script. Ours: `Trainer.step` on batches of `TrainLoader`, as `resnext train`
runs it. Alternating pairs, each side in the same process with the same threads.

    python -m bench.step --pairs 5 --threads 2
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable, Iterator

import torch
import torchvision
from torch import nn
from torch.nn import functional as F

from resnext.data.batch import Batch
from resnext.data.config import AugmentConfig, DataConfig
from resnext.data.loader import TrainLoader
from resnext.data.split import ArraySplit, DataInfo
from resnext.model.create import create_model
from resnext.model.names import config_from
from resnext.training.config import RuntimeConfig, TrainConfig
from resnext.training.runtime import open_runtime
from resnext.training.step import Trainer
from resnext.training.train import build_trainer

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
    "resnext50_32x4d": (lambda: torchvision.models.resnext50_32x4d(), 1000, 16, 224),
    "resnext29_8x64d": (Cifar29, 10, 8, 32),
}


def peer_step(model: nn.Module, num_classes: int, batch: int, side: int) -> Callable[[], None]:
    """Return torchvision's step on one fixed batch, which costs it no loading."""
    optimizer = torch.optim.SGD(
        model.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=1e-4
    )
    images_bchw = torch.randn(batch, 3, side, side)
    labels_b = torch.randint(0, num_classes, (batch,))

    def step() -> None:
        loss = F.cross_entropy(model(images_bchw), labels_b)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()

    return step


def our_step(
    name: str, num_classes: int, batch: int, side: int
) -> tuple[Callable[[], None], Callable[[], None]]:
    """Return our step through the loop, and the bare step of the same network."""
    config = TrainConfig(
        model=config_from(name, num_classes=num_classes),
        data=DataConfig(image_size_px=side),
        batch_size=batch,
        runtime=RuntimeConfig(device="cpu"),
    )
    info = DataInfo("noise", tuple(map(str, range(num_classes))), 3, side, (0.5,) * 3, (0.25,) * 3)
    with open_runtime(config.runtime) as runtime:
        trainer = build_trainer(config, info, runtime)
    images = torch.randint(0, 256, (_NUM_IMAGES, side, side, 3), dtype=torch.uint8)
    split = ArraySplit(images, torch.randint(0, num_classes, (_NUM_IMAGES,)))
    augment = AugmentConfig(crop="pad", flip=True)
    loader = TrainLoader(
        split, info, augment, batch_size=batch, seed=0, image_size_px=side, device=runtime.device
    )
    batches = _endless(loader)
    return lambda: _consume(trainer, batches), _bare(name, num_classes, next(batches))


def _endless(loader: TrainLoader) -> Iterator[Batch]:
    epoch = 0
    while True:
        yield from loader.epoch(epoch)
        epoch += 1


def _consume(trainer: Trainer, batches: Iterator[Batch]) -> None:
    trainer.step(next(batches), 0.01)


def _bare(name: str, num_classes: int, batch: Batch) -> Callable[[], None]:
    """Return forward, backward and optimiser step alone, in our layout."""
    model = create_model(name, num_classes=num_classes).to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(
        model.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=1e-4, fused=True
    )

    def step() -> None:
        torch.autograd.backward(F.cross_entropy(model(batch.images_bchw), batch.labels_b))
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def measure(name: str, num_pairs: int) -> None:
    """Print the median ratios of one network, with the spread over the pairs."""
    build, num_classes, batch, side = CASES[name]
    torch.manual_seed(0)
    peer = peer_step(build(), num_classes, batch, side)
    ours, bare = our_step(name, num_classes, batch, side)
    steps = {"peer": peer, "ours": ours, "bare": bare}
    times: dict[str, list[float]] = {key: [] for key in steps}
    for number in range(num_pairs + 1):
        for key, step in steps.items():
            start = time.perf_counter()
            step()
            if number:  # the first round warms up
                times[key].append(time.perf_counter() - start)
    for title, top, bottom in (
        ("ours / torchvision", "ours", "peer"),
        ("loop / bare", "ours", "bare"),
    ):
        ratios = [a / b for a, b in zip(times[top], times[bottom], strict=True)]
        print(
            f"{name}, {batch} images of {side}: {title} {statistics.median(ratios):.3f} "
            f"({min(ratios):.3f} to {max(ratios):.3f}, n={num_pairs})"
        )


def main() -> None:
    """Measure both networks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(
        f"torch {torch.__version__}, torchvision {torchvision.__version__}, "
        f"{arguments.threads} threads, {platform.machine()}, "
        f"{torch.backends.cpu.get_cpu_capability()}"
    )
    for name in CASES:
        measure(name, arguments.pairs)


if __name__ == "__main__":
    main()
