"""Peak rates of this machine: matrix multiplication and convolution.

An inference cannot be faster than its multiply-adds at that rate, so its share of the peak shows
how much could still be gained.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch.nn import functional as F

from resnext.benchmark.device import stopwatch_of
from resnext.benchmark.same_process import threads_of_torch

_SIDES = (256, 384, 512, 1024, 2048)
# Channels, side of the kernel and of the map: dense layers of a ResNet-50, and the batch.
_CONVOLUTIONS = ((64, 3, 56, 1), (128, 3, 28, 1), (256, 3, 14, 1), (512, 1, 14, 1), (128, 3, 28, 8))
_GPU_SIDES, _GPU_BATCH = (2048, 4096, 8192), 128
_CPU = torch.device("cpu")
_SECONDS_EACH = 0.4
_MIN_RUNS, _GPU_RUNS = 5, 20


@dataclass(frozen=True)
class Peak:
    """Peak rates for a number of threads, in 10^9 floating-point operations per second.

    A multiply-add is two operations.
    """

    threads: int
    matmul_gflops: float
    conv_gflops: float


def measure_peak(
    threads: int, device: torch.device = _CPU, dtype: torch.dtype = torch.float32
) -> Peak:
    """Measure both rates as the fastest run over several shapes, which is robust to other load.

    Args:
        threads: CPU threads.
        device: Device; a GPU needs larger matrices to be saturated.
        dtype: Data type of the operands.
    """
    place = {"device": device, "dtype": dtype}
    is_gpu = device.type == "cuda"
    with threads_of_torch(threads), torch.inference_mode():
        matmul = max(_matmul_rate(side, place) for side in (_GPU_SIDES if is_gpu else _SIDES))
        conv = max(_conv_rate(*shape, place) for shape in _CONVOLUTIONS)
    return Peak(threads, matmul / 1e9, conv / 1e9)


def best_seconds(
    action: Callable[[], object],
    *,
    seconds: float = _SECONDS_EACH,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Return the seconds of the fastest run within a time limit, of at least five runs."""
    found: list[float] = []
    begin = clock()
    while len(found) < _MIN_RUNS or clock() - begin < seconds:
        start = clock()
        action()
        found.append(clock() - start)
    return min(found)


def _matmul_rate(side: int, place: dict[str, Any]) -> float:
    a, b = torch.randn(side, side, **place), torch.randn(side, side, **place)
    return 2 * side**3 / _best(partial(torch.mm, a, b), place)


def _best(action: Callable[[], object], place: dict[str, Any]) -> float:
    device: torch.device = place["device"]
    stopwatch = stopwatch_of(device)
    if device.type == "cuda":
        return min(stopwatch(action) for _ in range(_GPU_RUNS))
    return best_seconds(action)


def _conv_rate(channels: int, kernel: int, side: int, batch: int, place: dict[str, Any]) -> float:
    """Return the rate of the faster memory layout."""
    if place["device"].type == "cuda":
        batch *= _GPU_BATCH
    operations = 2 * batch * channels**2 * kernel**2 * side**2
    rates = []
    for layout in (torch.contiguous_format, torch.channels_last):
        x_bchw = torch.randn(batch, channels, side, side, **place).contiguous(memory_format=layout)
        weight = torch.randn(channels, channels, kernel, kernel, **place)
        weight = weight.contiguous(memory_format=layout)
        run = partial(F.conv2d, x_bchw, weight, padding=kernel // 2)
        rates.append(operations / _best(run, place))
    return max(rates)
