"""The learning rate at each step, a pure function of the step."""

from __future__ import annotations

import math

from resnext.runs.config import OptimConfig, ScheduleConfig, TrainConfig


def peak_lr(optim: OptimConfig, batch_size: int) -> float:
    """Scale the learning rate to the global batch.

    Source: arXiv 1706.02677, the linear scaling rule; the paper's appendix A uses it for
    fewer GPUs (batch 64 with 0.05, 32 with 0.025).
    """
    return optim.lr * batch_size / optim.lr_batch_size


def lr_factor(schedule: ScheduleConfig, step: int, total_steps: int) -> float:
    """Return the learning rate at one step, as a fraction of the peak.

    Args:
        schedule: The shape over time.
        step: Optimiser steps done before this one, from 0.
        total_steps: Optimiser steps of the whole training.

    Returns:
        A factor in 0..1. Warm-up increases linearly and reaches 1 at its end.
    """
    head_steps = num_head_steps(schedule, total_steps)
    if step < head_steps:
        return 1.0
    step, total_steps = step - head_steps, total_steps - head_steps
    progress = step / total_steps
    if progress < schedule.warmup:
        return (step + 1) / (schedule.warmup * total_steps + 1)
    if schedule.kind == "step":
        passed = sum(progress >= share for share in schedule.milestones)
        return float(schedule.gamma**passed)
    fall = (progress - schedule.warmup) / (1.0 - schedule.warmup)
    if schedule.kind == "cosine":
        shape = 0.5 * (1.0 + math.cos(math.pi * fall))
    else:
        shape = (1.0 - fall) ** schedule.power if schedule.kind == "poly" else 1.0 - fall
    return schedule.final + (1.0 - schedule.final) * shape


def train_size_px(config: TrainConfig, epoch: int, full_px: int) -> int:
    """Return the side of an epoch's training images: smaller early if so configured.

    A share of the full side is rounded to an even number; all of it is not.

    Args:
        config: Its `size_schedule` and epochs.
        epoch: Number of the epoch, from 0.
        full_px: Full side of the images.
    """
    shares = config.size_schedule
    share = shares[epoch * len(shares) // config.schedule.epochs]
    return full_px if share == 1.0 else max(2, 2 * round(share * full_px / 2))


def num_head_steps(schedule: ScheduleConfig, total_steps: int) -> int:
    """Return how many of the first steps train only the classifier; at least one step follows.

    It only depends on the length, so that a resumed run is in the same phase.
    """
    return min(round(schedule.head_first * total_steps), total_steps - 1)
