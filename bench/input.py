"""Compares input speed: our batched CIFAR augmentation and torchvision's, one core each.

Both produce normalised, padded-and-cropped, mirrored float batches of the same 32 x 32 RGB images.
The peer does what CIFAR training scripts do: per-sample transforms (to PIL, random crop with
padding 4, random flip, to tensor, normalise) in a DataLoader without workers, so that both sides
use exactly one core. They alternate; the result is the median of the ratios over the pairs.

    python bench/input.py [--images 10000] [--pairs 7]
"""

from __future__ import annotations

import argparse
import itertools
import json
import platform
import statistics
from collections import deque
from typing import Any

import torch
import torchvision
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from resnext.data.array_split import ArraySplit
from resnext.data.augment.config import AugmentConfig
from resnext.data.loading.config import TrainLoaderConfig
from resnext.data.loading.train_loader import TrainLoader
from resnext.data.split import DataInfo
from resnext.turns import take_turns

_MEAN, _STD = (0.4914, 0.4824, 0.4467), (0.2471, 0.2435, 0.2616)
_BATCH_SIZE = 128


class PeerSet(Dataset[tuple[torch.Tensor, int]]):
    """The images of a split through torchvision's per-sample transforms."""

    def __init__(self, split: ArraySplit) -> None:
        self._images = split.images_nhwc.numpy()
        self._labels = split.targets_n.tolist()
        self._transform = transforms.Compose(
            [
                transforms.ToPILImage(),
                transforms.RandomCrop(32, padding=4),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize(_MEAN, _STD),
            ]
        )

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self._transform(self._images[index]), self._labels[index]


def measure(num_images: int, num_pairs: int) -> dict[str, Any]:
    """Time alternating epochs of both, after one warm-up epoch each."""
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (num_images, 32, 32, 3), dtype=torch.uint8, generator=generator)
    split = ArraySplit(pixels, torch.arange(num_images) % 10)
    info = DataInfo("bench", tuple("0123456789"), 3, 32, _MEAN, _STD)
    config = TrainLoaderConfig(
        augment=AugmentConfig(crop="pad", pad_px=4, flip=True),
        batch_size=_BATCH_SIZE,
        seed=0,
        device=torch.device("cpu"),
    )
    ours = TrainLoader(split, info, config)
    peer = DataLoader(PeerSet(split), batch_size=_BATCH_SIZE, shuffle=True)
    numbers = itertools.count()
    seconds = take_turns(
        [
            lambda: deque(peer, maxlen=0),
            lambda: deque(ours.epoch(next(numbers)), maxlen=0),
        ],
        num_pairs,
        warm_up=1,
    )
    pairs = [[num_images / s for s in pair] for pair in zip(*seconds, strict=True)]
    return {
        "ratio": statistics.median(own / other for other, own in pairs),
        "ratios": [round(own / other, 1) for other, own in pairs],
        "images_per_s_per_core": statistics.median(own for _, own in pairs),
        "peer_images_per_s_per_core": statistics.median(other for other, _ in pairs),
        "images": num_images,
        "pairs": num_pairs,
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "machine": f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--pairs", type=int, default=7)
    options = parser.parse_args()
    print(json.dumps(measure(options.images, options.pairs), indent=2))


if __name__ == "__main__":
    main()
