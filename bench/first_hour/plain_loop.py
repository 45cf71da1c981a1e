"""The loop that people write themselves: torchvision's ResNet-18 from scratch with AdamW.

Random resized crops, mirrored by chance, batches of 32, a constant learning rate of 1e-3. It
trains for a given time, validates after each epoch and keeps the best weights.

    python -m bench.first_hour.plain_loop SET --size 64 --seconds 300
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from pathlib import Path

import torch
import torchvision
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

_NORMALISE = transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def run(folder: Path, size_px: int, seconds: float, seed: int, workers: int) -> dict[str, float]:
    """Train for a time and return the test error of the weights that validated best."""
    torch.manual_seed(seed)
    train = _loader(folder / "train", _train_transform(size_px), workers, shuffle=True)
    val, test = (
        _loader(folder / part, eval_transform(size_px), workers, shuffle=False)
        for part in ("val", "test")
    )
    model = torchvision.models.resnet18(num_classes=len(train.dataset.classes))  # type: ignore[attr-defined]
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    start, best, kept, epochs = time.monotonic(), 101.0, model.state_dict(), 0
    while time.monotonic() - start < seconds:
        model.train()
        for images, labels in train:
            loss = F.cross_entropy(model(images), labels)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            if time.monotonic() - start >= seconds:
                break
        epochs += 1
        error = test_error(model, val)
        if error < best:
            best, kept = error, copy.deepcopy(model.state_dict())
    model.load_state_dict(kept)
    return {"test_error": test_error(model, test), "val_error": best, "epochs": epochs}


def eval_transform(size_px: int) -> transforms.Compose:
    """Return the usual view: resized to 8/7 of the crop, the centre."""
    return transforms.Compose(
        [
            transforms.Resize(size_px * 8 // 7),
            transforms.CenterCrop(size_px),
            transforms.ToTensor(),
            _NORMALISE,
        ]
    )


def test_error(model: nn.Module, loader: DataLoader[tuple[torch.Tensor, torch.Tensor]]) -> float:
    """Return the top-1 error in percent."""
    model.eval()
    wrong = seen = 0
    with torch.no_grad():
        for images, labels in loader:
            wrong += int((model(images).argmax(dim=1) != labels).sum())
            seen += len(labels)
    return 100.0 * wrong / seen


def _train_transform(size_px: int) -> transforms.Compose:
    return transforms.Compose(
        [
            transforms.RandomResizedCrop(size_px),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            _NORMALISE,
        ]
    )


def _loader(
    folder: Path, transform: transforms.Compose, workers: int, *, shuffle: bool
) -> DataLoader[tuple[torch.Tensor, torch.Tensor]]:
    images = ImageFolder(folder, transform)
    # a last batch of one image would stop BN
    return DataLoader(
        images,
        32,
        shuffle=shuffle,
        num_workers=workers,
        drop_last=shuffle,
        persistent_workers=workers > 0,
    )


def main() -> None:
    """Run once and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(
        json.dumps(
            run(
                arguments.folder,
                arguments.size,
                arguments.seconds,
                arguments.seed,
                arguments.workers,
            )
        )
    )


if __name__ == "__main__":
    main()
