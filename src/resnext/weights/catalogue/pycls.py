"""pycls' ResNets and ResNeXts on ImageNet-1K, baselines of "Designing Network Design Spaces".

Sources, read 2026-11:

- https://github.com/facebookresearch/pycls/blob/main/MODEL_ZOO.md: addresses and errors;
  dev/model_error.json has the same errors of the published files with three decimals
- configs/dds_baselines: short side 256, crop 224; blocks of the kind with the stride in the 3x3
- pycls/datasets/imagenet.py, as of 2020-05 (commit 85f4429) and today: OpenCV's bilinear resize;
  mean and deviation belong to the colours, whose order in the network is blue, green, red
- LICENSE there: MIT
"""

from __future__ import annotations

from resnext.weights.entry import WeightsEntry

_FILES = "https://dl.fbaipublicfiles.com/pycls/dds_baselines"

# Network, number of their run, name of the file, top-1 error in percent.
_ROWS = (
    ("resnet50", 161235311, "R-50-1x64d", 23.190),
    ("resnet101", 161167170, "R-101-1x64d", 21.414),
    ("resnet152", 161167467, "R-152-1x64d", 20.870),
    ("resnext50_32x4d", 161167411, "X-50-32x4d", 21.884),
    ("resnext101_32x4d", 161167590, "X-101-32x4d", 20.664),
    ("resnext152_32x4d", 162471172, "X-152-32x4d", 20.386),
)


def entries() -> tuple[WeightsEntry, ...]:
    """Build the entries of this publisher."""
    return tuple(_entry(*row) for row in _ROWS)


def _entry(network: str, run: int, theirs: str, top1_error: float) -> WeightsEntry:
    return WeightsEntry(
        name=f"{network}.pycls",
        network=network,
        family="pycls",
        address=f"{_FILES}/{run}/{theirs}_dds_8gpu.pyth",
        licence="MIT",
        top1_error=top1_error,
        published_at="https://github.com/facebookresearch/pycls/blob/main/dev/model_error.json",
        note=(
            "The file's network takes blue, green, red; the error was measured with OpenCV's "
            "resize, which does not antialias."
        ),
    )
