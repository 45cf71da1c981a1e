"""Opens an exported file in the fastest runtime on this machine.

Legend: b images, h x w x c pixels.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from resnext.errors import ConfigError
from resnext.inference.arrays import predictor_of
from resnext.inference.parity import BF16_TOLERANCE, parity_of
from resnext.inference.predictor import Logits, Predictor
from resnext.runtimes.exported import Array, Exported
from resnext.runtimes.open import open_exported
from resnext.runtimes.spec import Arithmetic, RuntimeName
from resnext.turns import order_of

if TYPE_CHECKING:
    from resnext.inference.arrays import ArrayPredictor
    from resnext.inference.recordings import RecordingPredictor

FP32_TOLERANCE = 1e-4
"""Largest difference of a logit between runtimes, relative to the largest logit; as in export."""

INT8_TOLERANCE = 0.05
"""The same for int8 files: each runtime rounds activations differently."""

_LEAST_GAIN = 0.95  # share of the default runtime's time; a smaller gain is within the noise
_ROUNDS = 3
_TURN_S = 0.05  # minimum for each candidate
_PAUSE_S = 0.05  # threads of a runtime spin for about 20 ms after an inference
_NUM_COMPARED = 8


@dataclass(frozen=True)
class Choice:
    """The chosen runtime.

    Attributes:
        exported: The open file.
        reason: The candidates and their times, in one line.
    """

    exported: Exported
    reason: str


def open_fastest(
    path: Path,
    *,
    threads: int | None = None,
    precision: Arithmetic | None = None,
    batches: Sequence[int] = (1, 8),
    clock: Callable[[], float] = time.perf_counter,
) -> Choice:
    """Time the runtimes that can open a file for a few seconds, and choose the fastest.

    A runtime that is not installed, or whose logits differ from the default runtime's by more than
    the tolerance of its precision, is left out. The default stays unless another is 5 % faster.

    Args:
        path: A file that `resnext export` wrote.
        threads: Threads for one inference.
        precision: bf16 adds candidates in bf16 to those in fp32.
        batches: Batch sizes; all have the same weight.
        clock: Time in seconds.

    Raises:
        CheckpointError: The file cannot be opened.
        ConfigError: The default runtime is not installed.
    """
    usual = open_exported(path, threads=threads, precision="fp32" if precision else None)
    candidates, remarks = [usual], []
    for runtime, wanted in _others(usual, precision):
        name = f"{runtime} {wanted or usual.spec.precision}"
        try:
            other = open_exported(path, threads=threads, runtime=runtime, precision=wanted)
        except ConfigError as error:
            remarks.append(f"{name} left out ({error})")
            continue
        if remark := _difference(usual, other):
            remarks.append(f"{name} left out ({remark})")
        else:
            candidates.append(other)
    ratios = _time(candidates, batches, clock)
    shares = [math.prod(row) ** (1 / len(row)) for row in ratios]
    best = min(range(len(candidates)), key=shares.__getitem__)
    if shares[best] > _LEAST_GAIN:
        best = 0
    timed = [
        f"{_name(one)} {' and '.join(f'{ratio:.2f}' for ratio in row)}"
        for one, row in zip(candidates, ratios, strict=True)
    ]
    sizes = " and ".join(map(str, batches))
    reason = f"runtime {_name(candidates[best])}; times at batch {sizes}: {', '.join(timed)}"
    return Choice(candidates[best], "; ".join([reason, *remarks]))


def made_images(exported: Exported, num: int) -> list[Array]:
    """Generate images of smooth colours, closer to photos than noise is: h x w x c."""
    side, channels = exported.spec.size_px, exported.config.in_channels
    coarse = np.random.default_rng(0).integers(0, 256, (num, 8, 8, channels), np.uint8)
    index = np.arange(side) * 8 // side
    return list(coarse[:, index][:, :, index])


def made_inputs(exported: Exported, num: int) -> list[Array]:
    """Make what a network takes: images of soft colours, or signals."""
    predictor = predictor_of(exported)
    if isinstance(predictor, Predictor):
        return made_images(exported, num)
    return list(predictor.made(num))


def made_logits(networks: Sequence[Exported], num: int) -> list[Logits]:
    """Return the logits that several files of one network give on the same made inputs."""
    inputs = made_inputs(networks[0], num)
    return [predictor_of(one).logits(inputs) for one in networks]


def _others(
    usual: Exported, precision: Arithmetic | None
) -> list[tuple[RuntimeName, Arithmetic | None]]:
    fixed: Arithmetic | None = "fp32" if precision else None
    others: list[tuple[RuntimeName, Arithmetic | None]] = []
    if usual.spec.format == "onnx":
        others.append(("openvino", fixed))
    if precision == "bf16" and usual.spec.format in ("onnx", "openvino"):
        others.append(("openvino", "bf16"))
    return others


def _difference(usual: Exported, other: Exported) -> str:
    """Return why a candidate is ruled out; empty if it is not."""
    wanted_bk, found_bk = made_logits((usual, other), _NUM_COMPARED)
    parity = parity_of(wanted_bk, found_bk, "generated")
    tolerance = {"fp32": FP32_TOLERANCE, "bf16": BF16_TOLERANCE, "int8": INT8_TOLERANCE}
    limit = tolerance[other.spec.precision] * max(parity.largest_logit, 1.0)
    return "" if parity.largest_difference <= limit else f"{parity}; accepted {limit:.1e}"


def _time(
    candidates: Sequence[Exported], batches: Sequence[int], clock: Callable[[], float]
) -> list[list[float]]:
    """Return each candidate's median time relative to the first, for each batch size."""
    columns = []
    for num in batches:
        images = made_inputs(candidates[0], num)
        predictors = [predictor_of(one) for one in candidates]
        seconds: list[list[float]] = [[] for _ in candidates]
        for number in range(_ROUNDS if len(candidates) > 1 else 1):
            for index in order_of(number, range(len(candidates))):
                time.sleep(_PAUSE_S)
                predictors[index].logits(images)  # warms up the caches
                seconds[index].append(_turn(predictors[index], images, clock))
        medians = [statistics.median(times) for times in seconds]
        columns.append([median / medians[0] for median in medians])
    return [list(row) for row in zip(*columns, strict=True)]


def _turn(
    predictor: Predictor | ArrayPredictor | RecordingPredictor,
    images: list[Array],
    clock: Callable[[], float],
) -> float:
    """Return the seconds of one inference."""
    start, runs = clock(), 0
    while not runs or clock() - start < _TURN_S:
        predictor.logits(images)
        runs += 1
    return (clock() - start) / runs


def _name(exported: Exported) -> str:
    return f"{exported.runtime} {exported.spec.precision}"
