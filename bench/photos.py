"""Compares input speed for photos: our loader, torchvision's and timm's, one core each.

All produce normalised float batches of random resized crops with random flips, in their own
process. torchvision's reference (Pillow, RandomResizedCrop, ToTensor, Normalize) gets our crops
through the same seeds; timm draws its own from the same distribution. There are three sources: the
photos at 224 px, at 128 px, and packed copies with a short side of 256. The loaders alternate; the
result is the median of the ratios of CPU time, which other processes disturb little.

python -m bench.photos FOLDER [--images 64] [--rounds 15]
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from PIL import Image
from timm.data import create_loader
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from resnext.data.augment.config import AugmentConfig
from resnext.data.file_split import FileSplit
from resnext.data.loading.config import TrainLoaderConfig
from resnext.data.loading.train_loader import TrainLoader
from resnext.data.random import Draw, derive, epoch_order
from resnext.data.split import DataInfo
from resnext.machine import cpu_name
from resnext.turns import take_turns

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_BATCH_SIZE = 32
_SEED = 0
_PACKED_PX, _PACKED_QUALITY = 256, 90


class Peer(Dataset[tuple[torch.Tensor, int]]):
    """Photos with a transform of Pillow images that uses our crops."""

    def __init__(self, split: FileSplit, transform: Callable[[Any], Any] | None = None) -> None:
        self._split = split
        self.transform = transform

    def __len__(self) -> int:
        return len(self._split)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        with (self._split.root / self._split.names[index]).open("rb") as file:
            image = Image.open(file).convert("RGB")
        torch.default_generator.manual_seed(derive(_SEED, Draw.TRANSFORM, 0, index))
        assert self.transform is not None
        return self.transform(image), 0


def torchvision_loader(split: FileSplit, size_px: int, *, flip: bool = True) -> DataLoader[Any]:
    """Return the reference, in the order of our first epoch."""
    chain = transforms.Compose(
        [
            transforms.RandomResizedCrop(size_px),
            transforms.RandomHorizontalFlip(0.5 if flip else 0.0),
            transforms.ToTensor(),
            transforms.Normalize(_MEAN, _STD),
        ]
    )
    order = epoch_order(len(split), _SEED, 0).tolist()
    return DataLoader(Peer(split, chain), batch_size=_BATCH_SIZE, sampler=order)


def timm_loader(split: FileSplit, size_px: int) -> Any:
    """Return timm's loader with the same augmentation."""
    return create_loader(
        Peer(split),
        input_size=(3, size_px, size_px),
        batch_size=_BATCH_SIZE,
        is_training=True,
        use_prefetcher=False,
        color_jitter=None,
        interpolation="bilinear",
        mean=_MEAN,
        std=_STD,
        num_workers=0,
        persistent_workers=False,
    )


def own_loader(split: FileSplit, size_px: int, *, flip: bool = True) -> TrainLoader:
    """Return our loader."""
    config = TrainLoaderConfig(
        augment=AugmentConfig(crop="resized", flip=flip),
        batch_size=_BATCH_SIZE,
        seed=_SEED,
        device=torch.device("cpu"),
    )
    return TrainLoader(split, DataInfo("bench", ("a", "b"), 3, size_px, _MEAN, _STD), config)


def difference(split: FileSplit, size_px: int) -> float:
    """Return the mean absolute difference between the reference's and our pixels, out of 255."""
    peer = torch.cat([images for images, _ in torchvision_loader(split, size_px, flip=False)])
    own = torch.cat([b.images_bchw for b in own_loader(split, size_px, flip=False).epoch(0)])
    scale = 255 * torch.tensor(_STD)[:, None, None]
    return float(((peer - own).abs() * scale).mean())


def pack(split: FileSplit, folder: Path) -> FileSplit:
    """Write copies with a short side of 256 pixels."""
    for name in split.names:
        image = Image.open(split.root / name).convert("RGB")
        scale = _PACKED_PX / min(image.size)
        size = (round(image.width * scale), round(image.height * scale))
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        image.resize(size, Image.Resampling.BICUBIC).save(folder / name, quality=_PACKED_QUALITY)
    return FileSplit(folder, split.names, split.targets_n)


def compare(raw: FileSplit, own: FileSplit, size_px: int, rounds: int) -> dict[str, Any]:
    """Time the peers on some files, and our loader on the same files or their packed copies."""
    loaders = (torchvision_loader(raw, size_px), timm_loader(raw, size_px))
    ours = own_loader(own, size_px)
    actions: list[Callable[[], Any]] = [partial(list, peer) for peer in loaders]
    actions.append(lambda: list(ours.epoch(0)))
    times = take_turns(actions, rounds, warm_up=1, clock=time.process_time)
    reference, timm, mine = times
    return {
        "over_torchvision": _ratios(reference, mine),
        "over_timm": _ratios(timm, mine),
        "images_per_s": [round(len(raw) / statistics.median(t)) for t in times],
        "difference_of_255": round(difference(own, size_px), 3),
    }


def _ratios(theirs: list[float], mine: list[float]) -> list[float]:
    """Return the lower quartile, the median and the upper quartile."""
    ratios = [other / own for other, own in zip(theirs, mine, strict=True)]
    return [round(ratio, 2) for ratio in statistics.quantiles(ratios, n=4)]


def measure(folder: Path, num_images: int, rounds: int) -> dict[str, Any]:
    """Compare on every source."""
    torch.set_num_threads(1)
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.jpg"))
    names = names[:: max(1, len(names) // num_images)][:num_images]
    raw = FileSplit(folder, tuple(names), torch.zeros(len(names), dtype=torch.int64))
    with TemporaryDirectory() as place:
        packed = pack(raw, Path(place))
        found = {
            "raw, 224 px": compare(raw, raw, 224, rounds),
            "raw, 128 px": compare(raw, raw, 128, rounds),
            "packed, 224 px": compare(packed, packed, 224, rounds),
            "packed, 128 px": compare(packed, packed, 128, rounds),
            "packed against raw, 224 px": compare(raw, packed, 224, rounds),
            "packed against raw, 128 px": compare(raw, packed, 128, rounds),
        }
    packages = ("torch", "torchvision", "timm", "pillow", "simplejpeg")
    return {
        **found,
        "images": len(names),
        "rounds": rounds,
        "versions": {name: version(name) for name in packages},
        "machine": f"{cpu_name()}, {torch.backends.cpu.get_cpu_capability()}, one core",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    print(json.dumps(measure(options.folder, options.images, options.rounds), indent=2))


if __name__ == "__main__":
    main()
