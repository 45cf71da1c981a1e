"""The rates that this machine reaches at best, in fp32: matrix multiplication and convolution.

An inference cannot be faster than its multiply-adds at that rate, so the share that it reaches
tells what is left to gain.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch.nn import functional as F

from resnext.benchmark.same_process import threads_of_torch

_SIDES = (256, 384, 512, 1024, 2048)
# Channels, side of the kernel and of the map: dense layers of a ResNet-50, and the batch.
_CONVOLUTIONS = ((64, 3, 56, 1), (128, 3, 28, 1), (256, 3, 14, 1), (512, 1, 14, 1), (128, 3, 28, 8))
_SECONDS_EACH = 0.4
_MIN_RUNS = 5


@dataclass(frozen=True)
class Peak:
    """Best rates with so many threads, in 10^9 floating-point operations a second.

    A multiply-add is two operations.
    """

    threads: int
    matmul_gflops: float
    conv_gflops: float


def measure_peak(threads: int) -> Peak:
    """Measure both rates: the fastest run of several shapes, so that other load matters little.

    Args:
        threads: CPU threads.
    """
    with threads_of_torch(threads), torch.inference_mode():
        matmul = max(_matmul_rate(side) for side in _SIDES)
        conv = max(_conv_rate(*shape) for shape in _CONVOLUTIONS)
    return Peak(threads, matmul / 1e9, conv / 1e9)


def best_seconds(
    action: Callable[[], object],
    *,
    seconds: float = _SECONDS_EACH,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Return the seconds of the fastest run within some time, of five at least."""
    found: list[float] = []
    begin = clock()
    while len(found) < _MIN_RUNS or clock() - begin < seconds:
        start = clock()
        action()
        found.append(clock() - start)
    return min(found)


def _matmul_rate(side: int) -> float:
    a, b = torch.randn(side, side), torch.randn(side, side)
    return 2 * side**3 / best_seconds(partial(torch.mm, a, b))


def _conv_rate(channels: int, kernel: int, side: int, batch: int) -> float:
    """Return the better of both memory layouts."""
    operations = 2 * batch * channels**2 * kernel**2 * side**2
    rates = []
    for layout in (torch.contiguous_format, torch.channels_last):
        x_bchw = torch.randn(batch, channels, side, side).contiguous(memory_format=layout)
        weight = torch.randn(channels, channels, kernel, kernel).contiguous(memory_format=layout)
        run = partial(F.conv2d, x_bchw, weight, padding=kernel // 2)
        rates.append(operations / best_seconds(run))
    return max(rates)
