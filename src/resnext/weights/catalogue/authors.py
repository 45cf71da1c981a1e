"""The paper's authors' own ResNeXts on ImageNet-1K, files of Torch7.

Sources, read 2026-11:

- https://github.com/facebookresearch/ResNeXt (README.md of commit 1f59a2c): addresses, single-crop
  errors, and "ImageNet pretrained models are licensed under CC BY-NC 4.0"; its LICENSE, BSD, is
  for the software
- datasets/imagenet.lua and datasets/transforms.lua there: mean, deviation, short side 256 by
  bicubic interpolation, centre crop of 224
- https://github.com/torch/image (generic/image.c): its bicubic interpolation uses four points
  at any scale
"""

from __future__ import annotations

from resnext.weights.entry import WeightsEntry

_FILES = "https://dl.fbaipublicfiles.com/resnext/imagenet_models"

# Network, its name in the file's, top-1 error in percent.
_ROWS = (
    ("resnext50_32x4d", "50_32x4d", 22.2),
    ("resnext101_32x4d", "101_32x4d", 21.2),
    ("resnext101_64x4d", "101_64x4d", 20.4),
)


def entries() -> tuple[WeightsEntry, ...]:
    """Build the entries of this publisher."""
    return tuple(_entry(*row) for row in _ROWS)


def _entry(network: str, theirs: str, top1_error: float) -> WeightsEntry:
    return WeightsEntry(
        name=f"{network}.authors",
        network=network,
        family="torch7",
        address=f"{_FILES}/resnext_{theirs}.t7",
        licence="CC-BY-NC-4.0",
        is_non_commercial=True,
        interpolation="bicubic",
        top1_error=top1_error,
        published_at="https://github.com/facebookresearch/ResNeXt#imagenet-pretrained-models",
        note="The error was measured with Torch's bicubic resize, which does not antialias.",
    )
