"""The time cost of cardinality: a training step and an inference of each design, interleaved.

Networks with equal multiply-adds do not take equal time: grouped convolutions achieve a lower
throughput. Each round measures all designs in turn in this process, so that changes of the
machine's load affect all of them; the first round warms up.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from resnext.data.loading.batch import Batch
from resnext.data.sets.load import load_data
from resnext.data.split import DataInfo
from resnext.model.config import BaselineConfig
from resnext.runs.config import TrainConfig
from resnext.runs.environment import describe_machine
from resnext.runs.runtime import Runtime, open_runtime
from resnext.studies.analysis.design_time import DesignTime
from resnext.studies.study import Design, Study
from resnext.training.train import build_train_step
from resnext.turns import spread_ms, take_turns

_LEARNING_RATE = 1e-3
_MAX_IMAGES = 32


def time_designs(
    study: Study,
    *,
    rounds: int = 11,
    progress: Callable[[str], None] = lambda _: None,
) -> list[DesignTime]:
    """Time all designs of a study on images of its first data set.

    Args:
        study: The study.
        rounds: Measured rounds, in addition to one warm-up round.
        progress: Receives progress messages.
    """
    settings = study.settings[0]
    info = load_data(settings.data).info
    batch_size = min(settings.batch_size, _MAX_IMAGES)
    with open_runtime(settings.runtime) as runtime:
        actions = [
            action
            for design in study.designs
            for action in _prepare(design, settings, info, runtime, batch_size)
        ]
        progress(f"timing {len(study.designs)} designs in {rounds} rounds")
        times = take_turns(actions, rounds, warm_up=1)
    return [
        DesignTime(
            design.label,
            *spread_ms(steps),
            *spread_ms(latencies),
            batch_size=batch_size,
            image_size_px=info.image_size_px,
            inputs="" if info.signal is None else f"{info.noun} of {info.signal.shape}",
            threads=torch.get_num_threads(),
            machine=describe_machine(runtime),
            n=rounds,
        )
        for design, steps, latencies in zip(study.designs, times[::2], times[1::2], strict=True)
    ]


def _prepare(
    design: Design, settings: TrainConfig, info: DataInfo, runtime: Runtime, batch_size: int
) -> tuple[Callable[[], None], Callable[[], None]]:
    """Build a training step and an inference of one design."""
    shape = {"num_classes": len(info.classes), "in_channels": info.in_channels}
    config = settings.replace(model=design.model.replace(**shape), batch_size=batch_size)
    train_step = build_train_step(config, info, runtime)
    ndim = 2 if isinstance(config.model, BaselineConfig) else config.model.ndim
    is_last = ndim == 2 and config.runtime.layout == "channels_last"
    layout = torch.channels_last if is_last else torch.contiguous_format
    sides = (info.image_size_px,) * ndim if info.signal is None else info.signal.sides
    images_bchw = torch.randn(batch_size, info.in_channels, *sides, device=runtime.device)
    images_bchw = images_bchw.contiguous(memory_format=layout)
    targets_b = torch.randint(len(info.classes), (batch_size,), device=runtime.device)
    batch = Batch(images_bchw, targets_b, torch.arange(batch_size), global_size=batch_size)
    model = train_step.average.model if train_step.average is not None else train_step.model

    def wait() -> None:
        if runtime.device.type == "cuda":
            torch.cuda.synchronize(runtime.device)

    def step() -> None:
        train_step.model.train()
        train_step.run(batch, _LEARNING_RATE)
        wait()

    @torch.inference_mode()
    def infer() -> None:
        model.eval()(images_bchw[:1])
        wait()

    return step, infer
