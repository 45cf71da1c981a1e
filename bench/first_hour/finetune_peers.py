"""Fine-tuning as by a careful user of fastai or timm, as loops in plain torch."""

from __future__ import annotations

import copy
import itertools
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

import resnext

_BATCH_SIZE = 32


@dataclass(frozen=True)
class Task:
    """Weights, a set with train/, val/ and test/, and the side of its images in pixels."""

    weights: Path
    folder: Path
    size_px: int


@dataclass(frozen=True)
class Outcome:
    """Errors in percent, the CPU seconds of training, and the epochs."""

    test_error: float
    val_error: float
    cpu_seconds: float
    epochs: int


def fastai(task: Task, epochs: int, seed: int, changes: tuple[str, ...] = ()) -> Outcome:
    """Train as in `Learner.fine_tune(epochs - 1)`, by default with a base rate of 2e-3."""
    peer = Peer(task, seed, _fastai_transform(task.size_px))
    base = float(dict(text.split("=") for text in changes).get("lr", 2e-3))
    body = [p for stage in peer.stages for p in stage.parameters()]
    norms = [
        p
        for module in peer.model.modules()
        if isinstance(module, nn.BatchNorm2d)
        for p in module.parameters()
    ]
    for parameter in body:
        parameter.requires_grad_(False)
    for parameter in norms:
        parameter.requires_grad_(True)
    groups = [{"params": norms, "scale": 1.0}, {"params": peer.head, "scale": 1.0}]
    peer.epochs(1, _adamw(groups, 0.01), lambda t: base * _one_cycle(t, 0.99), 0.0)
    for parameter in body:
        parameter.requires_grad_(True)
    num = len(peer.stages)
    groups = [
        {"params": list(stage.parameters()), "scale": 100.0 ** (place / num - 1)}
        for place, stage in enumerate(peer.stages)
    ]
    groups.append({"params": peer.head, "scale": 1.0})
    peer.epochs(epochs - 1, _adamw(groups, 0.01), lambda t: base / 2 * _one_cycle(t, 0.3), 0.0)
    return peer.outcome(epochs)


def timm(task: Task, epochs: int, seed: int, changes: tuple[str, ...] = ()) -> Outcome:
    """Train all layers with AdamW and layer decay, by default with a peak rate of 1e-3."""
    peer = Peer(task, seed, _timm_transform(task.size_px))
    peak = float(dict(text.split("=") for text in changes).get("lr", 1e-3))
    num = len(peer.stages)
    groups = [
        {"params": list(stage.parameters()), "scale": 0.75 ** (num - place)}
        for place, stage in enumerate(peer.stages)
    ]
    groups.append({"params": peer.head, "scale": 1.0})
    peer.epochs(epochs, _adamw(groups, 0.05), lambda t: peak * _warm_cosine(t, 0.1), 0.1)
    return peer.outcome(epochs)


class Peer:
    """A plain loop: the network with a new head, its loaders, and the best weights so far."""

    def __init__(self, task: Task, seed: int, transform: transforms.Compose) -> None:
        torch.manual_seed(seed)
        trained = resnext.load(task.weights)
        self.model, card = trained.module, trained.card
        normalise = transforms.Normalize(card.mean, card.std)
        images = ImageFolder(task.folder / "train", transforms.Compose([transform, normalise]))
        head = self.model.get_submodule("fc")
        assert isinstance(head, nn.Linear)
        self.model.fc = nn.Linear(head.in_features, len(images.classes))
        self._train = DataLoader(images, _BATCH_SIZE, shuffle=True, drop_last=True)
        ratio = (card.resize_px or card.image_size_px) / card.image_size_px
        resize_px = round(task.size_px * ratio)
        self._val, self._test = (
            _loader(task, split, card.mean, card.std, resize_px) for split in ("val", "test")
        )
        stem = nn.ModuleList(m for n, m in self.model.named_children() if n in ("conv1", "bn1"))
        self.stages: list[nn.Module] = [
            stem,
            *(m for name, m in self.model.named_children() if name.startswith("layer")),
        ]
        self.head = list(self.model.get_submodule("fc").parameters())
        self._best, self._kept = 101.0, copy.deepcopy(self.model.state_dict())
        self._start = time.process_time()

    def epochs(
        self,
        number: int,
        optimizer: torch.optim.Optimizer,
        rate: Callable[[float], float],
        smoothing: float,
    ) -> None:
        """Train some epochs; `rate` maps the completed share to the learning rate."""
        steps = itertools.count()
        for _ in range(number):
            self.model.train()
            for images, labels in self._train:
                share = next(steps) / (number * len(self._train))
                for group in optimizer.param_groups:
                    group["lr"] = rate(share) * group["scale"]
                loss = F.cross_entropy(self.model(images), labels, label_smoothing=smoothing)
                optimizer.zero_grad()
                torch.autograd.backward(loss)
                optimizer.step()
            error = test_error(self.model, self._val)
            if error < self._best:
                self._best, self._kept = error, copy.deepcopy(self.model.state_dict())

    def outcome(self, epochs: int) -> Outcome:
        """Test the weights with the best validation error."""
        seconds = time.process_time() - self._start
        self.model.load_state_dict(self._kept)
        return Outcome(test_error(self.model, self._test), self._best, seconds, epochs)


def test_error(model: nn.Module, loader: DataLoader[tuple[torch.Tensor, torch.Tensor]]) -> float:
    """Return the top-1 error in percent."""
    model.eval()
    wrong = seen = 0
    with torch.no_grad():
        for images, labels in loader:
            wrong += int((model(images).argmax(dim=1) != labels).sum())
            seen += len(labels)
    return 100.0 * wrong / seen


def _adamw(groups: list[dict[str, object]], decay: float) -> torch.optim.Optimizer:
    return torch.optim.AdamW(groups, lr=1e-3, weight_decay=decay)


def _one_cycle(share: float, rise: float) -> float:
    """Rise from 1/25 of the peak and fall to almost zero, both along a cosine."""
    if share < rise:
        return 0.04 + 0.96 * 0.5 * (1 - math.cos(math.pi * share / rise))
    return 0.5 * (1 + math.cos(math.pi * (share - rise) / (1 - rise)))


def _warm_cosine(share: float, warmup: float) -> float:
    if share < warmup:
        return (share + 1e-3) / (warmup + 1e-3)
    return 0.5 * (1 + math.cos(math.pi * (share - warmup) / (1 - warmup)))


def _crop(size_px: int) -> list[object]:
    return [
        transforms.RandomResizedCrop(size_px, scale=(0.35, 1.0)),
        transforms.RandomHorizontalFlip(),
    ]


def _fastai_transform(size_px: int) -> transforms.Compose:
    return transforms.Compose(
        [
            *_crop(size_px),
            transforms.RandomRotation(10),
            transforms.ColorJitter(0.2, 0.2),
            transforms.ToTensor(),
        ]
    )


def _timm_transform(size_px: int) -> transforms.Compose:
    return transforms.Compose([*_crop(size_px), transforms.ToTensor()])


def test_loader(
    task: Task, mean: tuple[float, ...], std: tuple[float, ...], resize_px: int | None
) -> DataLoader[tuple[torch.Tensor, torch.Tensor]]:
    return _loader(task, "test", mean, std, resize_px or task.size_px)


def _loader(
    task: Task, split: str, mean: tuple[float, ...], std: tuple[float, ...], resize_px: int
) -> DataLoader[tuple[torch.Tensor, torch.Tensor]]:
    view = transforms.Compose(
        [
            transforms.Resize(resize_px),
            transforms.CenterCrop(task.size_px),
            transforms.ToTensor(),
            transforms.Normalize(mean, std),
        ]
    )
    return DataLoader(ImageFolder(task.folder / split, view), 128)
