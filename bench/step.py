"""Compares our training step, in the whole loop, with other libraries' steps of the same network.

Ours: `TrainStep.run` on batches of `TrainLoader`, as in `resnext train`, including memory settings
and precision. Peers: torchvision's and timm's networks, once with the defaults of their scripts
(fp32, contiguous, plain SGD), once at their best: fused SGD, bf16 autocast if the CPU supports it,
and the layout, compiled or not, that is fastest in a short trial. Our best setting is found in the
same way. Each side has its own process with the same number of threads; they alternate, so that
only one works at a time.

    python -m bench.step --pairs 5 --threads 2 --network resnext50_32x4d
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import timm
import torch
import torchvision
from torch.nn import functional as F

from bench.gpu.contestants import StepSetting
from bench.step_peers import CASES, best_settings, best_step, default_step, set_batch
from bench.step_race import race
from resnext.data.array_split import ArraySplit
from resnext.data.augment.config import AugmentConfig
from resnext.data.config import DataConfig
from resnext.data.loading.batch import Batch
from resnext.data.loading.config import TrainLoaderConfig
from resnext.data.loading.train_loader import TrainLoader
from resnext.data.split import DataInfo
from resnext.machine import cpu_name
from resnext.model.names import config_from
from resnext.runs.config import RuntimeConfig, TrainConfig
from resnext.runs.runtime import open_runtime
from resnext.training.build import build_train_step
from resnext.training.step import TrainStep

_NUM_IMAGES = 512
_TRIAL_STEPS = 2


@dataclass(frozen=True)
class Side:
    """One contestant.

    Attributes:
        library: `resnext`, `torchvision` or `timm`; `bare` is our network without our loop.
        setting: Layout and compilation; None uses the library's defaults.
    """

    library: str
    setting: StepSetting | None = None

    @property
    def label(self) -> str:
        """The side in words."""
        if self.setting is None:
            return f"{self.library}, default"
        return f"{self.library}, {self.setting.label.partition(', ')[2]}"


def step_of(name: str, side: Side) -> Callable[[], object]:
    """Return a side's step."""
    if side.library == "bare":
        return bare_step(name)
    if side.library == "resnext":
        return our_step(name, side.setting)
    if side.setting is None:
        return default_step(name, side.library)
    return best_step(name, side.library, side.setting)


def our_step(name: str, setting: StepSetting | None) -> Callable[[], None]:
    """Return our step in the loop."""
    train_step, batches = _ours(name, setting)

    def step() -> None:
        train_step.run(next(batches), 0.01)

    return step


def bare_step(name: str) -> Callable[[], None]:
    """Return only forward, backward and optimiser step, with the same network and layout."""
    train_step, batches = _ours(name, None)
    model, optimizer, fixed = train_step.model, train_step.optimizer, next(batches)

    def step() -> None:
        with train_step.runtime.autocast():
            loss = F.cross_entropy(model(fixed.images_bchw), fixed.targets_b)
        torch.autograd.backward(loss)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def _ours(name: str, setting: StepSetting | None) -> tuple[TrainStep, Iterator[Batch]]:
    load = CASES[name].load
    runtime_config = RuntimeConfig(device="cpu")
    if setting is not None:
        runtime_config = runtime_config.replace(
            layout="channels_last" if setting.channels_last else "contiguous",
            compile=setting.compiled,
        )
    config = TrainConfig(
        model=config_from(name, num_classes=load.num_classes),
        data=DataConfig(image_size_px=load.side_px),
        batch_size=load.batch,
        runtime=runtime_config,
    )
    classes = tuple(map(str, range(load.num_classes)))
    info = DataInfo("noise", classes, 3, load.side_px, (0.5,) * 3, (0.25,) * 3)
    with open_runtime(config.runtime) as runtime:
        train_step = build_train_step(config, info, runtime)
    train_step.set_train_mode()
    images = torch.randint(0, 256, (_NUM_IMAGES, load.side_px, load.side_px, 3), dtype=torch.uint8)
    split = ArraySplit(images, torch.randint(0, load.num_classes, (_NUM_IMAGES,)))
    augment = AugmentConfig(crop="pad", flip=True)
    loading = TrainLoaderConfig(
        augment=augment,
        batch_size=load.batch,
        seed=0,
        device=runtime.device,
        channels_last=config.runtime.layout == "channels_last",
    )
    return train_step, _endless(TrainLoader(split, info, loading))


def _endless(loader: TrainLoader) -> Iterator[Batch]:
    epoch = 0
    while True:
        yield from loader.epoch(epoch)
        epoch += 1


def _prepared(name: str, side: Side, batch: int) -> Callable[[], object]:
    """Return a side's step in a new process, which does not know the batch size yet."""
    set_batch(name, batch)
    return step_of(name, side)


def race_sides(
    name: str, sides: list[Side], rounds: int, num_threads: int
) -> dict[Side, list[float]]:
    """Return the seconds of each side's steps."""
    batch = CASES[name].load.batch
    return race(
        {side: partial(_prepared, name, side, batch) for side in sides}, rounds, num_threads
    )


def find_best(name: str, library: str, num_threads: int) -> Side:
    """Return a library's fastest setting: each runs alone in a process, best of two steps."""
    found: dict[Side, float] = {}
    for setting in best_settings():
        side = Side(library, setting)
        (seconds,) = race_sides(name, [side], _TRIAL_STEPS, num_threads).values()
        found[side] = min(seconds)
        print(f"  {side.label}: {found[side]:.2f} s", flush=True)
    return min(found, key=lambda side: found[side])


def measure(name: str, num_pairs: int, num_threads: int) -> None:
    """Print the median ratios of one network, with the spread over the pairs."""
    load = CASES[name].load
    print(f"{name}, {load.batch} images of {load.side_px}", flush=True)
    libraries = list(CASES[name].peers)
    ours, bare = Side("resnext"), Side("bare")
    best = {library: find_best(name, library, num_threads) for library in ("resnext", *libraries)}
    defaults = [Side(library) for library in libraries]
    sides = list(dict.fromkeys([ours, bare, *defaults, *best.values()]))
    times = race_sides(name, sides, num_pairs, num_threads)
    bests = [best[library] for library in libraries]
    pairs = [(ours, side) for side in (*defaults, *bests)]
    pairs += [(best["resnext"], side) for side in bests] + [(ours, bare)]
    for top, bottom in pairs:
        ratios = [a / b for a, b in zip(times[top], times[bottom], strict=True)]
        print(
            f"{top.label} / {bottom.label}: {statistics.median(ratios):.3f} "
            f"({min(ratios):.3f} to {max(ratios):.3f}, n={num_pairs})",
            flush=True,
        )


def _default_dtype() -> str:
    with open_runtime(RuntimeConfig(device="cpu")) as runtime:
        return str(runtime.dtype).removeprefix("torch.")


def main() -> None:
    """Measure one network or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--network", choices=list(CASES))
    parser.add_argument("--batch", type=int, help="images per step; by default that of the case")
    arguments = parser.parse_args()
    print(
        f"torch {torch.__version__}, torchvision {torchvision.__version__}, timm "
        f"{timm.__version__}, {arguments.threads} threads, {cpu_name()}, "
        f"{torch.backends.cpu.get_cpu_capability()}, ours in {_default_dtype()}"
    )
    for name in [arguments.network] if arguments.network else list(CASES):
        set_batch(name, arguments.batch)
        measure(name, arguments.pairs, arguments.threads)


if __name__ == "__main__":
    main()
