"""Compares a training step in bf16 with fp32, to choose the default precision.

python -m bench.precision --threads 1
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from typing import Any

import torch

from resnext.data.loading.batch import Batch
from resnext.data.split import DataInfo
from resnext.machine import cpu_name
from resnext.model.config import ResNeXtConfig
from resnext.model.names import config_from
from resnext.runs.config import RuntimeConfig, TrainConfig
from resnext.runs.runtime import open_runtime
from resnext.training.train import build_train_step
from resnext.turns import take_turns

_THIN = {"stem_width": 16, "stage_widths": (64, 128, 256)}
# name, changes, images, side in pixels
CASES: tuple[tuple[str, dict[str, Any], int, int], ...] = (
    ("resnext29_8x64d", {}, 8, 32),
    ("resnext50_32x4d", {"num_classes": 10}, 8, 224),
    ("resnext_1-1-1_8x8d_cifar", {}, 128, 28),
    ("resnext_2-2-2_8x8d_cifar", _THIN, 128, 32),
    ("resnext_2-2-2_16x4d_cifar", _THIN, 128, 32),
    ("resnext_2-2-2_1x32d_cifar", _THIN, 128, 32),
    ("resnext_1-1-1_8x4d_cifar", _THIN, 128, 28),
)


def step_of(
    config: ResNeXtConfig, precision: str, batch_size: int, side: int
) -> Callable[[], None]:
    """Return a whole training step on one fixed batch."""
    settings = TrainConfig(
        model=config,
        batch_size=batch_size,
        runtime=RuntimeConfig(device="cpu", precision=precision),
    )
    classes = tuple(map(str, range(config.num_classes)))
    info = DataInfo("noise", classes, 3, side, (0.5,) * 3, (0.25,) * 3)
    with open_runtime(settings.runtime) as runtime:
        train_step = build_train_step(settings, info, runtime)
    images_bchw = torch.randn(batch_size, 3, side, side)
    images_bchw = images_bchw.contiguous(memory_format=torch.channels_last)
    targets_b = torch.randint(config.num_classes, (batch_size,))
    batch = Batch(images_bchw, targets_b, torch.arange(batch_size), global_size=batch_size)

    def step() -> None:
        train_step.run(batch, 0.01)

    return step


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(f"{cpu_name()}, torch {torch.__version__}, {arguments.threads} thread(s)")
    for name, changes, batch_size, side in CASES:
        config = config_from(name, **changes)
        assert isinstance(config, ResNeXtConfig)
        steps = [step_of(config, precision, batch_size, side) for precision in ("bf16", "fp32")]
        bf16, fp32 = take_turns(steps, arguments.pairs, warm_up=1)
        ratios = [a / b for a, b in zip(bf16, fp32, strict=True)]
        print(
            f"{name}, {batch_size} of {side}: bf16 / fp32 {statistics.median(ratios):.2f} "
            f"({min(ratios):.2f} to {max(ratios):.2f}, n={arguments.pairs})",
            flush=True,
        )


if __name__ == "__main__":
    main()
