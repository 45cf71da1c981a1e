"""Compares the CPU time of `resnext predict` for one image with that of `import torch`.

The network is a file with random weights; the image is this repository's sample. CPU time is that
of the whole child process, which other processes on the machine disturb less than wall time.

    python -m bench.startup [--networks resnext50_32x4d] [--pairs 11]
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import torch

from resnext.benchmark.networks import random_network
from resnext.complexity.count import default_side
from resnext.machine import cpu_name, num_cores, waiting_environment
from resnext.model.names import config_from
from resnext.turns import take_turns
from resnext.weights.own_file import save_weights

NETWORKS = ("resnext_2-2-2_8x8d_cifar", "resnext50_32x4d")
SAMPLE = Path(__file__).parent.parent / "samples" / "seven.png"


def main() -> None:
    """Print a line for each network."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    parser.add_argument("--pairs", type=int, default=11)
    arguments = parser.parse_args()
    print(
        f"{cpu_name()}, {num_cores()} cores, Python {platform.python_version()}, "
        f"torch {torch.__version__}, n={arguments.pairs} pairs"
    )
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.networks:
            path = _write(name, Path(folder))
            actions = (["-c", "import torch"], ["-m", "resnext", "predict", str(path), str(SAMPLE)])
            alone, predict = take_turns(
                [partial(_run, action) for action in actions],
                arguments.pairs,
                warm_up=1,
                clock=_cpu_s_of_children,
            )
            ratios = [ours / torch_s for ours, torch_s in zip(predict, alone, strict=True)]
            print(
                f"{name}: predict {statistics.median(predict):.2f} s, import torch "
                f"{statistics.median(alone):.2f} s, ratio {statistics.median(ratios):.2f} "
                f"({min(ratios):.2f} to {max(ratios):.2f})",
                flush=True,
            )


def _write(name: str, folder: Path) -> Path:
    config = config_from(name)
    network = random_network(config, default_side(config))
    path = folder / f"{name}.safetensors"
    save_weights(path, network.module, network.config, network.card)
    return path


def _run(arguments: list[str]) -> None:
    """Run Python with the environment variables that the command sets."""
    environment = {**os.environ, **waiting_environment()}
    subprocess.run(
        [sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, env=environment
    )


def _cpu_s_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
