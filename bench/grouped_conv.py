"""Measures how much time merging narrow groups saves on a CPU, and how many to merge.

    python bench/grouped_conv.py [--threads 1] [--pairs 15]

For each shape, layout and pass it prints the time of the merged convolution relative to the
plain one (below 1 is faster): the median of alternating pairs. The rule that results
from it is `resnext.model.grouped_conv.groups_to_merge`; its choice is marked with *.
It uses one thread: with more, threads waiting for a busy core make the plain form look far
worse than it is. Set ONEDNN_MAX_CPU_ISA=AVX2 to measure what an older CPU would do.
"""

from __future__ import annotations

import argparse
import os
import statistics
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from resnext.model.grouped_conv import groups_to_merge, merge_groups
from resnext.turns import take_turns

_CONVOLUTIONS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


@dataclass(frozen=True)
class Shape:
    """One grouped convolution: `groups` groups of `width` channels on a map of side `side`."""

    label: str
    batch: int
    groups: int
    width: int
    side: int
    ndim: int = 2
    stride: int = 1


SHAPES = (
    Shape("32x1d, stage 1", 8, 32, 1, 56),
    Shape("32x2d, stage 1", 8, 32, 2, 56),
    Shape("32x3d, stage 1", 8, 32, 3, 56),
    Shape("32x4d, stage 1", 8, 32, 4, 56),
    Shape("64x4d, stage 1", 8, 64, 4, 56),
    Shape("64x4d, stride 2", 8, 64, 4, 56, stride=2),
    Shape("32x4d, CIFAR", 16, 32, 4, 32),
    Shape("32x5d, stage 1", 8, 32, 5, 56),
    Shape("32x6d, stage 1", 8, 32, 6, 56),
    Shape("32x7d, stage 1", 8, 32, 7, 56),
    Shape("32x4d, stage 2: d=8", 8, 32, 8, 28),
    Shape("32x4d, stage 2, stride 2", 8, 32, 8, 56, stride=2),
    Shape("32x2d, 1-D", 8, 32, 2, 4096, ndim=1),
    Shape("32x4d, 1-D", 8, 32, 4, 4096, ndim=1),
    Shape("32x2d, 3-D", 2, 32, 2, 16, ndim=3),
    Shape("32x4d, 3-D", 2, 32, 4, 16, ndim=3),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--pairs", type=int, default=15)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(
        f"torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}, "
        f"ONEDNN_MAX_CPU_ISA={os.environ.get('ONEDNN_MAX_CPU_ISA', 'not set')}, "
        f"{arguments.threads} threads, n={arguments.pairs} pairs"
    )
    print(f"{'':26}{'':15}  forward         forward+backward")
    for shape in SHAPES:
        for layout in ("channels_last", "contiguous") if shape.ndim == 2 else ("contiguous",):
            cells = [_cells(shape, layout, arguments.pairs, train=train) for train in (False, True)]
            print(f"{shape.label:26}{layout:15}  {cells[0]}  {cells[1]}", flush=True)


def _cells(shape: Shape, layout: str, pairs: int, *, train: bool) -> str:
    """Return `m=RATIO` for each number of groups merged into one."""
    chosen = groups_to_merge(
        shape.groups,
        shape.width,
        channels_last=layout == "channels_last",
        training=train,
    )
    ratios = {merge: _ratio(shape, layout, merge, pairs, train=train) for merge in (2, 4)}
    return " ".join(
        f"{merge}={ratio:.2f}{'*' if merge == chosen else ' '}" for merge, ratio in ratios.items()
    )


def _ratio(shape: Shape, layout: str, merge: int, pairs: int, *, train: bool) -> float:
    plain = _make_pass(shape, layout, 1, train=train)
    merged = _make_pass(shape, layout, merge, train=train)
    seconds = take_turns([plain, merged], pairs, warm_up=1)
    plain_s, merged_s = seconds
    return statistics.median(b / a for a, b in zip(plain_s, merged_s, strict=True))


def _make_pass(shape: Shape, layout: str, merge: int, *, train: bool) -> Callable[[], None]:
    channels = shape.groups * shape.width
    x = torch.randn(shape.batch, channels, *[shape.side] * shape.ndim)
    weight = torch.randn(channels, shape.width, *[3] * shape.ndim)
    if layout == "channels_last":
        x = x.to(memory_format=torch.channels_last)
        weight = weight.to(memory_format=torch.channels_last)
    x.requires_grad_(train)
    weight.requires_grad_(train)
    convolve = _CONVOLUTIONS[shape.ndim]

    def run() -> None:
        kernel = weight if merge == 1 else merge_groups(weight, shape.groups, merge)
        groups = shape.groups // merge
        with torch.set_grad_enabled(train):
            y = convolve(x, kernel, None, shape.stride, 1, 1, groups)
        if train:
            torch.autograd.grad(y, (x, weight), y.detach())

    return run


if __name__ == "__main__":
    main()
