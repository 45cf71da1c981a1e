"""Time against group width at equal multiply-adds: which cardinality is free on this machine.

For each cardinality the width is solved so that the network has the multiply-adds of the base, as
in table 2 of the paper. A training step and an inference of each are timed in turns, in both memory
layouts. The paper counts such networks as equal cost; their times may differ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from resnext.benchmark.contestant import PrecisionName
from resnext.benchmark.device import describe_device, find_device, read_clocks, stopwatch_of
from resnext.benchmark.ratio import Ratio, paired_ratio
from resnext.benchmark.same_process import threads_of_torch
from resnext.complexity.budget import Budget
from resnext.complexity.count import count, default_side
from resnext.complexity.solve import solve_width
from resnext.data.loading.batch import Batch
from resnext.data.split import DataInfo
from resnext.errors import ConfigError
from resnext.model.config import ResNeXtConfig
from resnext.model.names import config_from
from resnext.runs.config import RuntimeConfig, TrainConfig
from resnext.runs.runtime import Runtime, resolve_dtype
from resnext.training.build import build_train_step
from resnext.training.speed_choice import FixedLayout
from resnext.turns import spread_ms, take_turns

FREE = 1.05
"""A cardinality counts as free up to this ratio to cardinality 1."""

CARDINALITIES = (1, 2, 4, 8, 16, 32, 64)
_LAYOUTS: tuple[FixedLayout, ...] = ("channels_last", "contiguous")
_LEARNING_RATE = 1e-3

Tell = Callable[[str], None]


@dataclass(frozen=True)
class MapSetup:
    """What to measure.

    Attributes:
        base: Name of the network whose multiply-adds all networks match.
        device: `cpu`, `cuda` or `cuda:N`.
        precision: Autocast precision of training and inference.
        batch: Images per batch.
        size_px: Side of the images; None uses the default of the base.
        threads: CPU threads.
        rounds: Measured rounds, after one warm-up round.
        cardinalities: Cardinalities to compare with cardinality 1.
    """

    base: str = "resnet50"
    device: str = "cpu"
    precision: PrecisionName = "fp32"
    batch: int = 8
    size_px: int | None = None
    threads: int = 1
    rounds: int = 15
    cardinalities: Sequence[int] = CARDINALITIES


@dataclass(frozen=True)
class MapRow:
    """One network in one layout.

    Attributes:
        cardinality: C.
        group_width: Channels of a group in the first stage, d.
        layout: Memory layout of images and weights.
        macs: Multiply-adds of one image.
        train_ms: Median of a training step, with its quartiles.
        infer_ms: Median of an inference, with its quartiles.
        train_ratio: Training step relative to cardinality 1 in its faster layout.
        infer_ratio: Inference relative to cardinality 1 in its faster layout.
    """

    cardinality: int
    group_width: int
    layout: FixedLayout
    macs: int
    train_ms: tuple[float, float, float]
    infer_ms: tuple[float, float, float]
    train_ratio: Ratio
    infer_ratio: Ratio


@dataclass(frozen=True)
class CardinalityMap:
    """The measurements and their setting.

    Attributes:
        setup: What was measured.
        rows: One row per network and layout, by cardinality.
        machine: The device.
        versions: Version of torch.
        clocks: Clocks of a GPU, before and after.
    """

    setup: MapSetup
    rows: list[MapRow]
    machine: str
    versions: str
    clocks: tuple[dict[str, str], dict[str, str]]

    def best(self, kind: str) -> dict[int, Ratio]:
        """Return each cardinality's ratio in its faster layout, for `train` or `infer`."""
        found: dict[int, Ratio] = {}
        for row in self.rows:
            ratio: Ratio = getattr(row, f"{kind}_ratio")
            known = found.get(row.cardinality)
            if known is None or ratio.median < known.median:
                found[row.cardinality] = ratio
        return found

    def free(self, kind: str) -> list[int]:
        """Return the cardinalities above 1 that are free, for `train` or `infer`."""
        best = self.best(kind).items()
        return [number for number, ratio in best if number > 1 and ratio.median <= FREE]


def map_cardinality(setup: MapSetup, tell: Tell = lambda _: None) -> CardinalityMap:
    """Time networks of equal multiply-adds and different cardinality.

    Args:
        setup: What to measure.
        tell: Called with each progress message.

    Raises:
        ConfigError: The device does not exist, or the base has no cardinality to vary.
    """
    base = config_from(setup.base)
    if not isinstance(base, ResNeXtConfig) or base.block != "bottleneck":
        raise ConfigError(f"{setup.base} has no cardinality to vary; use a ResNet-50 or deeper")
    device = find_device(setup.device)
    side_px = setup.size_px or default_side(base)
    budget = Budget.like(base, "macs", "network", side_px)
    numbers = sorted({1, *setup.cardinalities})
    configs = [solve_width(base, number, budget).config for number in numbers]
    before = read_clocks(device)
    networks = [(config, layout) for config in configs for layout in _LAYOUTS]
    actions: list[Callable[[], Any]] = []
    with threads_of_torch(setup.threads):
        for config, layout in networks:
            tell(f"preparing {config.template}, {layout}")
            actions += _prepare(config, layout, setup, device, side_px)
        tell(f"timing {len(networks)} networks in {setup.rounds} rounds")
        seconds = take_turns(actions, setup.rounds, warm_up=1, stopwatch=stopwatch_of(device))
    rows = _rows(networks, seconds, side_px)
    clocks = before, read_clocks(device)
    return CardinalityMap(
        setup, rows, describe_device(device), f"torch {torch.__version__}", clocks
    )


def _rows(
    networks: Sequence[tuple[ResNeXtConfig, FixedLayout]],
    seconds: Sequence[Sequence[float]],
    side_px: int,
) -> list[MapRow]:
    training, inference = seconds[::2], seconds[1::2]
    plain = [index for index, (config, _) in enumerate(networks) if config.cardinality == 1]
    references = [
        min((times[index] for index in plain), key=lambda found: spread_ms(found)[0])
        for times in (training, inference)
    ]
    return [
        MapRow(
            config.cardinality,
            config.bottleneck_width,
            layout,
            count(config, side_px).macs,
            spread_ms(steps),
            spread_ms(passes),
            paired_ratio(steps, references[0]),
            paired_ratio(passes, references[1]),
        )
        for (config, layout), steps, passes in zip(networks, training, inference, strict=True)
    ]


def _prepare(
    model: ResNeXtConfig, layout: FixedLayout, setup: MapSetup, device: torch.device, side_px: int
) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Build a training step and an inference of one network."""
    config = TrainConfig(model=model, batch_size=setup.batch, runtime=RuntimeConfig(layout=layout))
    classes = tuple(map(str, range(model.num_classes)))
    info = DataInfo("noise", classes, model.in_channels, side_px, (0.5,) * 3, (0.25,) * 3)
    runtime = Runtime(device, resolve_dtype(setup.precision, device))
    train_step = build_train_step(config, info, runtime)
    generator = torch.Generator().manual_seed(0)
    images_bchw = torch.randn(
        setup.batch, model.in_channels, side_px, side_px, generator=generator
    ).to(device)
    if layout == "channels_last":
        images_bchw = images_bchw.contiguous(memory_format=torch.channels_last)
    labels_b = torch.arange(setup.batch, device=device) % model.num_classes
    batch = Batch(images_bchw, labels_b, torch.arange(setup.batch), setup.batch)

    def train() -> None:
        train_step.model.train()
        train_step.run(batch, _LEARNING_RATE)

    @torch.inference_mode()
    def infer() -> None:
        train_step.model.eval()
        with runtime.autocast():
            train_step.model(images_bchw)

    return train, infer
