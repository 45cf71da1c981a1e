"""The learning-rate range test: train briefly with an increasing rate and observe the loss.

Source: Smith, "Cyclical learning rates for training neural networks", arXiv 1506.01186, section
3.3, with exponential increase and smoothing as in fast.ai.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from resnext.data.loading.batch import Batch
from resnext.data.sets.load import load_data
from resnext.runs.config import OptimConfig, TrainConfig
from resnext.runs.runtime import open_runtime
from resnext.training.checkpoint import Position
from resnext.training.meter import Meter
from resnext.training.schedule import peak_lr, train_size_px
from resnext.training.settle_speed import settle_by_table
from resnext.training.signals import for_signals
from resnext.training.step import seed_step
from resnext.training.train import assemble, limit_batch, resolve
from resnext.training.trainer_parts import Loaders
from resnext.weights.change import to_start_from
from resnext.weights.source import open_weights

NUM_STEPS = 100
_LOWEST = {"sgd": 1e-5, "adamw": 1e-6}
_DECADES = 6
_SMOOTHING_STEPS = 3.0
_NUM_FIRST, _HIGHEST = 10, 1.2
_NUM_RECENT, _DIVERGED = 5, 3.0
_MIN_FALL = 0.02


@dataclass(frozen=True)
class LrTest:
    """The result of a range test.

    Attributes:
        lrs: The rate of each step, in units of the setting `optim.lr`.
        losses: Training loss of each step.
        smoothed: The same, averaged over about ten steps.
        has_diverged: Whether the loss diverged before the last rate.
        suggestion: The suggested peak rate; None if the loss never decreased.
    """

    lrs: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    has_diverged: bool
    suggestion: float | None


def find_lr(config: TrainConfig, progress: Callable[[int], None] | None = None) -> LrTest:
    """Train for at most `NUM_STEPS` steps with an increasing rate, without saving anything.

    Args:
        config: Settings of the planned training.
        progress: Called with the number of images after each step.

    Raises:
        ResNeXtError: Settings or data do not allow training.
    """
    losses: list[float] = []
    with open_runtime(config.runtime) as runtime:
        data = load_data(config.data)
        weights = None if config.weights is None else open_weights(config.weights)
        if weights is not None:
            weights = for_signals(to_start_from(weights, config.model), config, data.info)
        config = limit_batch(resolve(config, data.info, weights), len(data.train))
        config = settle_by_table(config, runtime)
        rates = rates_to_try(config.optim, config.batch_size)
        data, train_step, loaders = assemble(config, data, runtime, weights)
        train_step.average = None  # costs time and changes no loss
        train_step.set_train_mode()
        num_parts = len(train_step.task.loss_parts)
        meter = Meter(runtime.device, Position(), runtime.world_size, num_parts)
        batches = _batches(loaders, config)
        for step, (lr, batch) in enumerate(zip(rates, batches, strict=False)):
            seed_step(runtime, config.seed, step)
            optim = config.optim.replace(lr=lr)
            sums = train_step.run(batch, peak_lr(optim, config.batch_size))
            meter.add(sums, batch.global_size)
            losses.append(meter.read()[0])
            if progress is not None:
                progress(batch.global_size)
            if is_diverging(losses):
                break
    return judge_losses(rates[: len(losses)], losses)


def rates_to_try(optim: OptimConfig, batch_size: int) -> tuple[float, ...]:
    """Return the rates of the test, increasing by a constant factor.

    The range applies to the optimiser's rates. They are returned in units of the setting
    `optim.lr`, for a batch of `lr_batch_size`.
    """
    lowest = _LOWEST[optim.kind] / peak_lr(optim.replace(lr=1.0), batch_size)
    return tuple(lowest * 10.0 ** (_DECADES * k / (NUM_STEPS - 1)) for k in range(NUM_STEPS))


def is_diverging(losses: Sequence[float]) -> bool:
    """Return whether the loss has diverged: NaN, or several times its lowest."""
    if not math.isfinite(losses[-1]):
        return True
    recent = losses[-_NUM_RECENT:]
    return sum(recent) / len(recent) > _DIVERGED * min(smooth(losses))


def smooth(losses: Sequence[float]) -> tuple[float, ...]:
    """Average each loss with its neighbours on both sides, so that a decrease is not delayed.

    Losses far above the first ones are clipped, so that a divergence does not affect the preceding
    steps.
    """
    from scipy.ndimage import gaussian_filter1d

    highest = _HIGHEST * max(losses[:_NUM_FIRST])
    cut = [min(loss, highest) for loss in losses]
    values: list[float] = gaussian_filter1d(cut, _SMOOTHING_STEPS, mode="nearest").tolist()
    return tuple(values)


def judge_losses(lrs: Sequence[float], losses: Sequence[float]) -> LrTest:
    """Suggest a peak rate from the losses at increasing rates.

    It is the rate at which the smoothed loss is lowest: a higher one does more harm than good, and
    a schedule reaches its peak only briefly. The steepest point, which is often used, depends on
    the noise of single batches: between seeds it moved by a factor of up to 200 on 450 photos, the
    lowest point by less than 3.

    Args:
        lrs: The rate of each step.
        losses: Its training loss; the last may be NaN.
    """
    has_diverged = is_diverging(losses)
    finite = [loss for loss in losses if math.isfinite(loss)]
    smoothed = smooth(finite) if finite else ()
    suggestion = _rate_of_lowest(lrs, smoothed)
    return LrTest(
        lrs=tuple(lrs[: len(finite)]),
        losses=tuple(finite),
        smoothed=smoothed,
        has_diverged=has_diverged,
        suggestion=None if suggestion is None else float(f"{suggestion:.2g}"),
    )


def _rate_of_lowest(lrs: Sequence[float], smoothed: Sequence[float]) -> float | None:
    lowest = min(range(len(smoothed)), key=smoothed.__getitem__, default=0)
    if not smoothed or smoothed[0] - smoothed[lowest] < _MIN_FALL * smoothed[0]:
        return None
    return lrs[lowest]


def _batches(loaders: Loaders, config: TrainConfig) -> Iterator[Batch]:
    """Yield training batches at the image size of the peak rate, epoch after epoch."""
    peak_epoch = int(config.schedule.warmup * config.schedule.epochs)
    size_px = train_size_px(config, peak_epoch, loaders.info.image_size_px)
    for epoch in itertools.count():
        yield from loaders.train.epoch(epoch, image_size_px=size_px)
