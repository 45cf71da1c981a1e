"""Writes the speed table for short runs: the fastest layout and merging for each group width.

    python -m bench.speed_table --device cpu --threads 2 --write

Networks with ResNet-50's depth and multiply-adds, one for each group width, run training steps
alternately with every setting that `--tune` would try without compiling. A setting other than the
default enters the table if it saves at least 3 % at the conservative end of its interval. `--write`
replaces the device's rows in `src/resnext/training/speed_table.json`.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

import resnext.training
from resnext.benchmark.device import describe_device, find_device
from resnext.benchmark.ratio import paired_ratio
from resnext.complexity.budget import Budget
from resnext.complexity.family import cardinality_family
from resnext.complexity.solve import closest
from resnext.data.split import DataInfo
from resnext.files import write_whole
from resnext.model.config import ResNeXtConfig
from resnext.model.names import config_from
from resnext.runs.config import RuntimeConfig, TrainConfig
from resnext.runs.determinism import choose_kernels
from resnext.runs.runtime import Runtime, resolve_dtype
from resnext.training.speed_choice import SpeedChoice, eager_candidates
from resnext.training.speed_table import FILE
from resnext.training.speed_timing import SpeedRace

_WIDTHS = (None, 1, 2, 3, 4, 6, 8, 16, 32, 64)
_MIN_GAIN = 0.97
_TABLE = Path(resnext.training.__file__).with_name(FILE)


def network_of(width: int | None, side_px: int) -> ResNeXtConfig:
    """Return the network with a given group width and the multiply-adds of ResNet-50."""
    base = config_from("resnet50", num_classes=10)
    assert isinstance(base, ResNeXtConfig)
    if width is None:
        return base
    return closest(
        cardinality_family(base, width), Budget.like(base, "macs", "network", side_px)
    ).config


def measure(model: ResNeXtConfig, runtime: Runtime, batch: int, side_px: int) -> dict[str, Any]:
    """Return a network's fastest setting, and each setting's time relative to the default."""
    config = TrainConfig(
        model=model, batch_size=batch, runtime=RuntimeConfig(layout="auto", merge_groups="auto")
    )
    info = DataInfo("noise", tuple(map(str, range(10))), 3, side_px, (0.5,) * 3, (0.25,) * 3)
    race = SpeedRace(config, info, runtime)
    default = SpeedChoice()
    ways = [default, *eager_candidates(config.runtime, model, runtime.device.type)]
    step_s = min(race.prepare(way) or float("inf") for way in dict.fromkeys(ways))
    times = race.run(list(dict.fromkeys(ways)), step_s)
    race.release()
    ratios = {way: paired_ratio(found, times[default]) for way, found in times.items()}
    best = min(ratios, key=lambda way: ratios[way].median)
    chosen = best if ratios[best].high < _MIN_GAIN else default
    return asdict(chosen) | {"over_default": {way.label: str(r) for way, r in ratios.items()}}


def main() -> None:
    """Measure all widths, print the rows, and write them if requested."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", default="auto", help="auto, fp32 or bf16")
    parser.add_argument("--batch", type=int, help="images per step; 128 on a GPU, 8 on a CPU")
    parser.add_argument("--side", type=int, help="image side; 224 on a GPU, 112 on a CPU")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    device = find_device(arguments.device)
    is_gpu = device.type == "cuda"
    batch, side_px = (
        arguments.batch or (128 if is_gpu else 8),
        arguments.side or (224 if is_gpu else 112),
    )
    runtime = Runtime(device, resolve_dtype(arguments.precision, device))
    rows = []
    for width in _WIDTHS:
        with choose_kernels(RuntimeConfig(), device):  # as a run does
            found = measure(network_of(width, side_px), runtime, batch, side_px)
        row = {"group_width": width, **found}
        print(json.dumps(row), flush=True)
        rows.append(row)
    dtype = str(runtime.dtype).removeprefix("torch.")
    source = (
        f"python -m bench.speed_table: {describe_device(device)}, {arguments.threads} threads, "
        f"torch {torch.__version__}, {dtype}, {batch} images of {side_px} px"
    )
    if arguments.write:
        table = json.loads(_TABLE.read_text(encoding="utf-8"))
        table[device.type] = {"is_measured": True, "source": source, "rows": rows}
        write_whole(_TABLE, json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
