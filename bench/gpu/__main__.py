"""Run everything that fits into the minutes, most important first; see `bench.gpu`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import timm
import torch
import torchvision

from bench.gpu.contestants import Load, StepSetting
from bench.gpu.deadline import Deadline
from bench.gpu.page import page
from bench.gpu.peak import matmul_flops
from bench.gpu.rates import NETWORKS, measure_loop, measure_network, release
from resnext.benchmark.cardinality_map import MapSetup, map_cardinality
from resnext.benchmark.device import find_device
from resnext.benchmark.map_output import row_of
from resnext.files import write_whole
from resnext.machine import cpu_name, num_cores

_ROOT = Path(__file__).parents[2]
_TESTS_SHARE = 0.3
"""Maximum share of the time for the tests."""
_MAP_ROUNDS = 5


def run_tests(device: str, seconds: float) -> dict[str, Any]:
    """Run the tests marked `gpu`, and return their last line and whether they passed."""
    command = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", "tests/gpu"]
    environment = {**os.environ, "RESNEXT_TEST_DEVICE": device}
    try:
        done = subprocess.run(
            command,
            cwd=_ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"passed": False, "summary": f"stopped after {seconds:.0f} s"}
    lines = (done.stdout + done.stderr).strip().splitlines() or [f"status {done.returncode}"]
    failed = [line for line in lines if line.startswith(("FAILED", "ERROR", "SKIPPED"))]
    return {"passed": done.returncode == 0, "summary": lines[-1], "failed": failed}


def describe(load: Load) -> dict[str, Any]:
    """Return the device, the versions and the settings."""
    found: dict[str, Any] = {
        "device": cpu_name(),
        "cores": num_cores(),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "timm": timm.__version__,
        "batch": load.batch,
        "side_px": load.side_px,
        "precision": "bf16 autocast",
    }
    if load.device.type == "cuda":
        found |= {
            "device": torch.cuda.get_device_name(load.device),
            "cuda": torch.version.cuda,
            "cudnn": str(torch.backends.cudnn.version()),  # type: ignore[no-untyped-call]  # torch's
            "memory_gib": torch.cuda.get_device_properties(load.device).total_memory / 2**30,
        }
    return found


def measure(load: Load, deadline: Deadline, keep: Callable[[dict[str, Any]], None]) -> None:
    """Measure, and yield the results after each part, so that an interruption loses only one."""
    results: dict[str, Any] = {"setting": describe(load)}
    results["tests"] = run_tests(str(load.device), _TESTS_SHARE * deadline.left_s)
    results["matmul_flops"] = matmul_flops(load.device)
    keep(results)
    results["rates"] = []
    first = NETWORKS[:2]
    for name in first:
        results["rates"].append(asdict(measure_network(name, load, deadline, compiled=False)))
        keep(results)
    if deadline.left_s > 0:
        setup = MapSetup(
            device=str(load.device),
            precision="bf16",
            batch=load.batch,
            size_px=load.side_px,
            threads=num_cores(),
            rounds=_MAP_ROUNDS,
        )
        groups = map_cardinality(setup)
        results["groups"] = [row_of(row) for row in groups.rows]
        results["clocks"] = groups.clocks
        release(load.device)
        keep(results)
    if deadline.left_s > 0:
        best = StepSetting("resnext", _is_last_faster(results["rates"][0]), compiled=False)
        results["loop"] = {
            "network": first[0],
            "setting": best.label,
            **measure_loop(first[0], best, load, deadline),
        }
        keep(results)
    for name, compiled in [(first[0], True), (NETWORKS[2], False), (first[1], True)]:
        if deadline.left_s > 0:
            found = measure_network(name, load, deadline, compiled=compiled)
            results["rates"].append(asdict(found))
            keep(results)


def _is_last_faster(rates: dict[str, Any]) -> bool:
    """Return whether our network is faster in channels_last."""
    seconds = rates["seconds"]
    last, first = (
        min(seconds.get(StepSetting("resnext", layout, compiled=False).label, [float("inf")]))
        for layout in (True, False)
    )
    return bool(last <= first)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=6.0)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--batch", type=int, help="images per step; 128 on a GPU, 4 on a CPU")
    parser.add_argument("--side", type=int, help="image side; 224 on a GPU, 64 on a CPU")
    parser.add_argument("--json", type=Path, default=Path("gpu.json"))
    parser.add_argument("--page", type=Path, help="such as docs/benchmarks/gpu.md")
    arguments = parser.parse_args()
    device = find_device(arguments.device)  # cuDNN's fastest kernels, for all libraries
    on_gpu = device.type == "cuda"
    load = Load(
        device, arguments.batch or (128 if on_gpu else 4), arguments.side or (224 if on_gpu else 64)
    )

    def keep(results: dict[str, Any]) -> None:
        write_whole(arguments.json, json.dumps(results, indent=1))
        if arguments.page is not None:
            write_whole(arguments.page, page(results))

    measure(load, Deadline.after(arguments.minutes), keep)
    print(page(json.loads(arguments.json.read_text(encoding="utf-8"))))


if __name__ == "__main__":
    main()
