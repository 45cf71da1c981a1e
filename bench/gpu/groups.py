"""Time against group width: which cardinality is free on this device.

Each network has the multiply-adds of a ResNet-50, as in table 2 of the paper: the wider a
group, the fewer of them.
"""

from __future__ import annotations

from typing import Any

import torch

from bench.gpu.contestants import NUM_CLASSES, Load, StepSetting, training_step
from bench.gpu.deadline import Action, Deadline, race, ratio
from bench.gpu.rates import release
from resnext.complexity.budget import Budget
from resnext.complexity.solve import solve_width
from resnext.model.config import ResNeXtConfig
from resnext.model.create import create_model
from resnext.model.names import config_from

CARDINALITIES = (1, 2, 4, 8, 16, 32, 64)
_WARM_UP = 2
_ROUNDS = 5


def map_groups(load: Load, deadline: Deadline) -> list[dict[str, Any]]:
    """Race networks of equal multiply-adds and different cardinality, in both layouts.

    Args:
        load: Device, batch and size.
        deadline: No network is prepared after it.

    Returns:
        A row for each network: cardinality, width of a group, layout, milliseconds of a training
        step, and its ratio to cardinality 1 in the faster of both layouts there.
    """
    base = config_from("resnet50", num_classes=NUM_CLASSES)
    assert isinstance(base, ResNeXtConfig)
    budget = Budget.like(base, "macs")
    actions: list[Action] = []
    rows: list[dict[str, Any]] = []
    for cardinality in CARDINALITIES:
        config = solve_width(base, cardinality, budget).config
        for channels_last in (True, False):
            if deadline.left_s <= 0:
                break
            setting = StepSetting("resnext", channels_last, compiled=False)
            action = training_step(create_model(config), setting, load)
            for _ in range(_WARM_UP):
                action()
            actions.append(action)
            rows.append(
                {
                    "cardinality": cardinality,
                    "group_width": config.bottleneck_width,
                    "channels_last": channels_last,
                }
            )
    if not rows:
        return []
    times = race(actions, load.device, rounds=_ROUNDS, deadline=deadline)
    plain = min(
        (one for one, row in zip(times, rows, strict=True) if row["cardinality"] == 1), key=min
    )
    for row, seconds in zip(rows, times, strict=True):
        row["ms"] = 1e3 * float(torch.tensor(seconds).median())
        row["ratio"] = ratio(seconds, plain)
    actions.clear()
    release(load.device)
    return rows
