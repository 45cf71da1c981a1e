"""A plain training loop for the peers' segmentation networks, as their tutorials show it.

AdamW, poly schedule, cross-entropy over the pixels that have a class, images and masks scaled by
0.5 to 2, cropped and flipped by torchvision's transforms: the same steps, batches, crops and
learning rates as ours. The weights of the last epoch are evaluated on whole images.

    python -m bench.segmentation.plain_loop FOLDER --head unet --epochs 20 --seed 0
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import cast

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torchvision import tv_tensors
from torchvision.transforms import v2

from bench.segmentation.networks import HEADS, Head, peer_network

Pair = tuple[torch.Tensor, torch.Tensor]

IGNORED, NUM_CLASSES = 11, 11
CROP_PX, BATCH_SIZE = 128, 8
LR, WEIGHT_DECAY, WARM_UP, POWER, CLIP_NORM = 1e-3, 0.05, 0.05, 0.9, 1.0

_AUX_WEIGHT = 0.4
_STRIDE = 32
_NORMALISE = v2.Compose(
    [
        v2.ToDtype({tv_tensors.Image: torch.float32, "others": None}, scale=True),
        v2.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ]
)


class Masks(Dataset[Pair]):
    """The images of one split with their masks."""

    def __init__(self, folder: Path, *, train: bool) -> None:
        self._images = sorted((folder / "images").iterdir())
        self._masks = folder / "masks"
        fill = {tv_tensors.Image: 0, tv_tensors.Mask: IGNORED}
        steps = [
            v2.RandomCrop(CROP_PX, pad_if_needed=True, fill=fill),
            v2.RandomHorizontalFlip(),
        ]
        self._vary = v2.Compose(steps) if train else None

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> Pair:
        path = self._images[index]
        image = tv_tensors.Image(Image.open(path).convert("RGB"))
        mask = tv_tensors.Mask(np.array(Image.open(self._masks / f"{path.stem}.png")))
        if self._vary is not None:
            factor = 0.5 + 1.5 * float(torch.rand(()))
            size = [max(round(side * factor), 1) for side in image.shape[-2:]]
            image, mask = self._vary(*v2.Resize(size)(image, mask))
        return cast(Pair, tuple(_NORMALISE(image, mask)))


def run(folder: Path, head: Head, epochs: int, seed: int, bf16: bool) -> dict[str, float]:
    """Train once and return the mIoU on the test images in percent."""
    torch.manual_seed(seed)
    network = peer_network(head, NUM_CLASSES).to(memory_format=torch.channels_last)
    train = DataLoader(
        Masks(folder / "train", train=True), BATCH_SIZE, shuffle=True, drop_last=True
    )
    num_steps = epochs * len(train)
    optimizer = torch.optim.AdamW(network.parameters(), LR, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, num_steps))
    for _ in range(epochs):
        network.train()
        for images, masks in train:
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                loss = loss_of(network, images, masks)
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(network.parameters(), CLIP_NORM)
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
    return {
        "val_miou": miou(network, folder / "val"),
        "test_miou": miou(network, folder / "test"),
    }


def loss_of(network: nn.Module, images: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Return the cross-entropy, with that of the second head where there is one."""
    output = network(images)
    if isinstance(output, torch.Tensor):
        return F.cross_entropy(output, masks.long(), ignore_index=IGNORED)
    parts = [F.cross_entropy(output[key], masks.long(), ignore_index=IGNORED) for key in output]
    return parts[0] + _AUX_WEIGHT * parts[1]


def _rate(step: int, num_steps: int) -> float:
    warm_up = max(round(WARM_UP * num_steps), 1)
    if step < warm_up:
        return (step + 1) / warm_up
    return float((1 - (step - warm_up) / (num_steps - warm_up)) ** POWER)


def miou(network: nn.Module, folder: Path) -> float:
    """Return the mean over the classes of intersection by union, over all images, in percent."""
    network.eval()
    counts = torch.zeros(NUM_CLASSES, NUM_CLASSES, dtype=torch.long)
    with torch.no_grad():
        for image, mask in Masks(folder, train=False):  # type: ignore[attr-defined]
            height, width = image.shape[-2:]
            padded = F.pad(image, (0, -width % _STRIDE, 0, -height % _STRIDE))
            output = network(padded[None])
            scores = output if isinstance(output, torch.Tensor) else output["out"]
            found = scores[0, :, :height, :width].argmax(dim=0)
            known = mask != IGNORED
            places = mask[known].long() * NUM_CLASSES + found[known]
            counts += torch.bincount(places, minlength=NUM_CLASSES**2).view_as(counts)
    shared = counts.diag()
    union = counts.sum(dim=0) + counts.sum(dim=1) - shared
    return 100 * float((shared[union > 0] / union[union > 0]).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--head", choices=HEADS, required=True)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bf16", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(json.dumps(run(given.folder, given.head, given.epochs, given.seed, given.bf16)))


if __name__ == "__main__":
    main()
