"""A typical hand-written training loop: torchvision's ResNet-18 from scratch with AdamW.

It uses random resized crops, random flips, batches of 32 and a constant learning rate of 1e-3. It
trains for a given CPU time, so that other work on the machine does not count, validates after each
epoch and keeps the best weights.

    python -m bench.first_hour.plain_loop SET --size 64 --cpu-seconds 300
    python -m bench.first_hour.plain_loop SET --size 64 --evaluate model_best.pth.tar
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


def run(folder: Path, size_px: int, cpu_s: float, seed: int) -> dict[str, float]:
    """Train for a given time, and return the test error of the best weights by validation."""
    torch.manual_seed(seed)
    train = _loader(folder / "train", _train_transform(size_px), shuffle=True)
    val, test = (
        _loader(folder / part, eval_transform(size_px), shuffle=False) for part in ("val", "test")
    )
    model = torchvision.models.resnet18(num_classes=len(train.dataset.classes))  # type: ignore[attr-defined]
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    start, best, kept, epochs = time.process_time(), 101.0, model.state_dict(), 0
    while time.process_time() - start < cpu_s:
        model.train()
        for images, labels in train:
            loss = F.cross_entropy(model(images), labels)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            if time.process_time() - start >= cpu_s:
                break
        epochs += 1
        error = test_error(model, val)
        if error < best:
            best, kept = error, copy.deepcopy(model.state_dict())
    model.load_state_dict(kept)
    return {"test_error": test_error(model, test), "val_error": best, "epochs": epochs}


def evaluate(folder: Path, size_px: int, checkpoint: Path) -> dict[str, float]:
    """Return the test error of a ResNet-18 that timm's script trained."""
    import timm

    test = _loader(folder / "test", eval_transform(size_px), shuffle=False)
    state = torch.load(checkpoint, map_location="cpu", weights_only=False)["state_dict"]
    model = timm.create_model("resnet18", num_classes=len(state["fc.bias"]))
    model.load_state_dict(state)
    return {"test_error": test_error(model, test)}


def eval_transform(size_px: int) -> transforms.Compose:
    """Return the usual transform: resize to 8/7 of the crop, then crop the centre."""
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
    folder: Path, transform: transforms.Compose, *, shuffle: bool
) -> DataLoader[tuple[torch.Tensor, torch.Tensor]]:
    # a last batch of one image would stop BN
    return DataLoader(ImageFolder(folder, transform), 32, shuffle=shuffle, drop_last=shuffle)


def main() -> None:
    """Run once and print the results as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--cpu-seconds", type=float, default=300.0)
    parser.add_argument("--evaluate", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    if given.evaluate is not None:
        print(json.dumps(evaluate(given.folder, given.size, given.evaluate)))
    else:
        print(json.dumps(run(given.folder, given.size, given.cpu_seconds, given.seed)))


if __name__ == "__main__":
    main()
