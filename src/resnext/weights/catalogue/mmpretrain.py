"""mmpretrain's ResNeXts and ResNets on ImageNet-1K, and its ResNets on CIFAR.

Sources, read 2026-11:

- https://github.com/open-mmlab/mmpretrain (commit ee7f2e8), configs/resnext/metafile.yml and
  configs/resnet/metafile.yml: addresses and accuracies
- configs/_base_/datasets there: imagenet_bs32_pil_resize (the ResNeXts), imagenet_bs32,
  imagenet_bs256_rsb_a12 and _a3, cifar10_bs16, cifar100_bs16: sizes, means and deviations of
  values in 0..255, red, green, blue
- tools/model_converters/publish_model.py there: the eight digits that end a file's name are the
  first of its SHA-256
- LICENSE there: Apache-2.0
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from resnext.weights.entry import ClassList, WeightsEntry

_FILES = "https://download.openmmlab.com/mmclassification/v0"
_PAGES = "https://github.com/open-mmlab/mmpretrain/blob/main/configs"
_OPENCV = "The error was measured with OpenCV's resize, which does not antialias."

# Network, file, top-1 accuracy in percent: resized by Pillow.
_RESNEXTS = (
    ("resnext50_32x4d", "resnext50_32x4d_b32x8_imagenet_20210429-56066e27", 77.90),
    ("resnext101_32x4d", "resnext101_32x4d_b32x8_imagenet_20210506-e0fa3dd5", 78.61),
    ("resnext101_32x8d", "resnext101_32x8d_b32x8_imagenet_20210506-23a247d5", 79.27),
    ("resnext152_32x4d", "resnext152_32x4d_b32x8_imagenet_20210524-927787be", 78.88),
)
# The same, resized by OpenCV.
_RESNETS = (
    ("resnet18", "resnet18_8xb32_in1k_20210831-fbbb1da6", 69.90),
    ("resnet34", "resnet34_8xb32_in1k_20210831-f257d4e6", 73.62),
    ("resnet50", "resnet50_8xb32_in1k_20210831-ea4938fc", 76.55),
    ("resnet101", "resnet101_8xb32_in1k_20210831-539c63f8", 77.97),
    ("resnet152", "resnet152_8xb32_in1k_20210901-4d7582fa", 78.48),
)
# Recipe of "ResNet strikes back", file, top-1 accuracy in percent.
_RESNET50_RECIPES = (
    ("a1", "resnet50_8xb256-rsb-a1-600e_in1k_20211228-20e21305", 80.12),
    ("a2", "resnet50_8xb256-rsb-a2-300e_in1k_20211228-0fd8be6e", 79.55),
    ("a3", "resnet50_8xb256-rsb-a3-100e_in1k_20211228-3493673c", 78.30),
)
# Network, class list, file, top-1 accuracy in percent.
_CIFAR: tuple[tuple[str, ClassList, str, float], ...] = (
    ("resnet_2-2-2-2_basic_cifar", "cifar10", "resnet18_b16x8_cifar10_20210528-bd6371c8", 94.82),
    ("resnet_3-4-6-3_basic_cifar", "cifar10", "resnet34_b16x8_cifar10_20210528-a8aa36a6", 95.34),
    ("resnet_3-4-6-3_cifar", "cifar10", "resnet50_b16x8_cifar10_20210528-f54bfad9", 95.55),
    ("resnet_3-4-23-3_cifar", "cifar10", "resnet101_b16x8_cifar10_20210528-2d29e936", 95.58),
    ("resnet_3-8-36-3_cifar", "cifar10", "resnet152_b16x8_cifar10_20210528-3e8e9178", 95.76),
    ("resnet_3-4-6-3_cifar", "cifar100", "resnet50_b16x8_cifar100_20210528-67b58a1b", 79.90),
)
_COLOURS = {
    "cifar10": ((125.307, 122.961, 113.8575), (51.5865, 50.847, 51.255)),
    "cifar100": ((129.304, 124.070, 112.434), (68.170, 65.392, 70.418)),
}


def entries() -> tuple[WeightsEntry, ...]:
    """Build the entries of this publisher."""
    return (*_imagenet(), *_cifar())


def _imagenet() -> Iterator[WeightsEntry]:
    for network, file, accuracy in _RESNEXTS:
        yield _entry(network, "mmpretrain", f"resnext/{file}", accuracy)
    for network, file, accuracy in _RESNETS:
        yield _entry(network, "mmpretrain", f"resnet/{file}", accuracy, note=_OPENCV)
    for recipe, file, accuracy in _RESNET50_RECIPES:
        facts = {"resize_px": 236, "interpolation": "bicubic"}
        yield _entry("resnet50", f"mmpretrain_{recipe}", f"resnet/{file}", accuracy, **facts)


def _cifar() -> Iterator[WeightsEntry]:
    for network, classes, file, accuracy in _CIFAR:
        mean, std = (tuple(round(v / 255, 6) for v in values) for values in _COLOURS[classes])
        facts: dict[str, Any] = {"classes": classes, "image_size_px": 32, "resize_px": None}
        facts |= {"mean": mean, "std": std}
        yield _entry(network, f"mmpretrain_{classes}", f"resnet/{file}", accuracy, **facts)


def _entry(network: str, tag: str, file: str, accuracy: float, **facts: Any) -> WeightsEntry:
    return WeightsEntry(
        name=f"{network}.{tag}",
        network=network,
        family="mmpretrain",
        address=f"{_FILES}/{file}.pth",
        sha256=file.rpartition("-")[2],
        licence="Apache-2.0",
        top1_error=round(100 - accuracy, 2),
        published_at=f"{_PAGES}/{file.partition('/')[0]}/metafile.yml",
        **facts,
    )
