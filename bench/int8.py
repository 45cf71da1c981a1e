"""Compares int8 and fp32 in ONNX Runtime and OpenVINO, alternately in one process.

The network has random weights and is calibrated on noise, so only times are meaningful here;
`resnext export --int8` measures the loss of accuracy of a trained network.

    python -m bench.int8 [--network resnext50_32x4d] [--rounds 5] [--threads 1]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch

from resnext.benchmark.networks import random_network
from resnext.complexity.count import default_side
from resnext.export.export import spec_of, write_file
from resnext.export.int8 import quantise
from resnext.export.options import ExportOptions
from resnext.export.write_onnx import save_onnx
from resnext.machine import cpu_name, num_cores
from resnext.model.names import config_from
from resnext.runtimes.exported import Exported
from resnext.runtimes.open import open_exported
from resnext.runtimes.spec import RuntimeName, describe
from resnext.turns import take_turns

RUNTIMES: tuple[RuntimeName, ...] = ("onnxruntime", "openvino")


def main() -> None:
    """Print a line for each precision, runtime and batch."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--network", default="resnext50_32x4d")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    print(f"{cpu_name()}, {num_cores()} cores, {arguments.threads} thread(s)")
    with tempfile.TemporaryDirectory() as folder:
        files = _write(arguments.network, Path(folder))
        contestants = [
            open_exported(file, threads=arguments.threads, runtime=runtime)
            for file in files
            for runtime in RUNTIMES
        ]
        for num in (1, 8):
            _race(contestants, num, arguments.rounds)


def _write(name: str, folder: Path) -> tuple[Path, Path]:
    """Write the network in fp32 and in int8."""
    config = config_from(name)
    loaded = random_network(config, default_side(config))
    full, low = folder / "fp32.onnx", folder / "int8.onnx"
    spec = spec_of(loaded, ExportOptions())
    write_file(loaded, full, spec)
    side = spec.size_px
    noise = torch.randint(0, 256, (8, side, side, config.in_channels), dtype=torch.uint8).numpy()
    quantise(full, low, [noise])
    described = describe(loaded.config, loaded.card, spec.replace(precision="int8"))
    save_onnx(onnx.load(low), low, described)
    return full, low


def _race(contestants: list[Exported], num: int, rounds: int) -> None:
    side, channels = contestants[0].spec.size_px, contestants[0].config.in_channels
    batch: Any = np.random.default_rng(0).integers(0, 256, (num, side, side, channels), np.uint8)
    seconds = take_turns([partial(one.run, batch) for one in contestants], rounds, warm_up=1)
    wanted = contestants[0].run(batch)
    for one, times in zip(contestants, seconds, strict=True):
        ratio = statistics.median(a / b for a, b in zip(times, seconds[0], strict=True))
        difference = np.abs(one.run(batch) - wanted).max() / np.abs(wanted).max()
        print(
            f"batch {num}, {one.spec.precision} in {one.runtime}: "
            f"{1e3 * statistics.median(times):.1f} ms, ratio {ratio:.2f}, largest difference of a "
            f"logit {difference:.1%} of the largest",
            flush=True,
        )


if __name__ == "__main__":
    main()
