"""The settings that affect rounding, and are therefore part of a trial.

Sums are split among threads and processes, each precision and kind of device rounds differently,
and training amplifies small differences. Device, precision, threads and processes are therefore
fixed when a study first runs: they are stored in its file and are part of its trials' names. How
many trials run at once, and where, is not.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from resnext.errors import ConfigError
from resnext.runs.config import Precision, RuntimeConfig, TrainConfig
from resnext.studies.study import Study

if TYPE_CHECKING:
    from resnext.studies.records.trial import Trial

DEFAULT_THREADS = 1
"""A single thread never waits for another, so concurrent trials make the best use of a machine."""

# Instructions and roundings that a person can choose for a whole process
_CHOICES = (
    *("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS"),
    *("MKL_CBWR", "ONEDNN_DEFAULT_FPMATH_MODE", "DNNL_DEFAULT_FPMATH_MODE"),
    *("NVIDIA_TF32_OVERRIDE", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE"),
)


def is_settled(runtime: RuntimeConfig) -> bool:
    """Return whether the settings fix everything that affects rounding."""
    is_open = "auto" in (runtime.device, runtime.precision) or runtime.threads is None
    return not (is_open or runtime.is_open)


def is_study_settled(study: Study) -> bool:
    """Return whether the settings of all trials fix everything that affects rounding."""
    return study.processes is not None and all(is_settled(s.runtime) for s in study.settings)


def adopt_arithmetic(study: Study, kept: Study) -> Study:
    """Fill the open settings of a study from another study of the same data sets."""
    by_data = {settings.data.label: settings.runtime for settings in kept.settings}
    return study.replace(
        settings=tuple(_adopted(s, by_data.get(s.data.label)) for s in study.settings),
        processes=study.processes or kept.processes,
    )


def _adopted(settings: TrainConfig, kept: RuntimeConfig | None) -> TrainConfig:
    if kept is None:
        return settings
    runtime = settings.runtime
    return settings.replace(
        runtime=runtime.replace(
            device=kept.device if runtime.device == "auto" else runtime.device,
            precision=kept.precision if runtime.precision == "auto" else runtime.precision,
            threads=runtime.threads or kept.threads,
        )
    )


def settle_arithmetic(
    study: Study,
    threads: int | None = None,
    processes: int | None = None,
    *,
    has_gpus: bool | None = None,
) -> Study:
    """Return a study in which every setting that affects rounding is fixed.

    Args:
        study: The study.
        threads: Requested CPU threads of each process.
        processes: Requested processes of each trial.
        has_gpus: Whether the trials will have a GPU; by default, whether this machine has one.

    Raises:
        ConfigError: The study was started with other values.
    """
    begun = {settings.runtime.threads for settings in study.settings} - {None}
    _check_asked(study, "threads", threads, begun)
    _check_asked(study, "processes", processes, {study.processes} - {None})
    if is_study_settled(study):
        return study
    number = threads or next(iter(begun), None) or DEFAULT_THREADS
    return study.replace(
        settings=tuple(_settled(s, number, has_gpus) for s in study.settings),
        processes=study.processes or processes or 1,
    )


def _check_asked(study: Study, name: str, asked: int | None, begun: Iterable[int | None]) -> None:
    other = [number for number in begun if asked is not None and number != asked]
    if other:
        raise ConfigError(
            f"{name}={asked}: {study.name} was started with {other[0]}, and another number would "
            f"change the results; leave out --{name}, or start again in another --root"
        )


def _settled(settings: TrainConfig, threads: int, has_gpus: bool | None) -> TrainConfig:
    runtime = settings.runtime
    if runtime.is_open:
        raise ConfigError(
            f"runtime.layout={runtime.layout}, compile={runtime.compile}, "
            f"merge_groups={runtime.merge_groups}: a choice by speed can differ between trials, "
            "but all trials of a study must compute the same way; choose one, such as --set "
            "runtime.layout=channels_last"
        )
    device, precision = _resolved(runtime.device, runtime.precision, has_gpus)
    number = runtime.threads or threads
    return settings.replace(
        runtime=runtime.replace(device=device, precision=precision, threads=number)
    )


def _resolved(device: str, precision: Precision, has_gpus: bool | None) -> tuple[str, Precision]:
    """Resolve `auto` for this machine, or for one with a GPU."""
    if "auto" not in (device, precision):
        return device, precision
    import torch

    from resnext.runs.runtime import resolve_device, resolve_dtype

    is_here = torch.cuda.is_available()
    if device == "auto":
        device = "cuda" if (is_here if has_gpus is None else has_gpus) else "cpu"
    if precision == "auto":
        if kind_of(device) == "cuda":
            # a GPU elsewhere: they have bf16 since 2020, and an older one refuses the trial
            has_bf16 = not is_here or torch.cuda.is_bf16_supported(including_emulation=False)
        else:
            has_bf16 = resolve_dtype("auto", resolve_device(device)) == torch.bfloat16
        precision = "bf16" if has_bf16 else "fp32"
    return device, precision


def describe_arithmetic(trials: Iterable[Trial]) -> list[str]:
    """Describe for each data set how its trials are computed, where that is fixed."""
    return list(dict.fromkeys(_described(t) for t in trials if is_settled(t.config.runtime)))


def _described(trial: Trial) -> str:
    runtime = trial.config.runtime
    return (
        f"{trial.data}: {kind_of(runtime.device)}, {runtime.precision}, "
        f"{counted(runtime.threads or 1, 'thread')}, {counted(trial.processes, 'process')}"
    )


def kind_of(device: str) -> str:
    """Return a device without its index, which does not affect results."""
    return device.partition(":")[0]


def counted(number: int, word: str) -> str:
    """Format a number of threads or processes."""
    ending = "" if number == 1 else "es" if word.endswith("s") else "s"
    return f"{number} {word}{ending}"


def thread_environment(threads: int) -> dict[str, str]:
    """Return the environment variables that size every thread pool of a trial's process.

    `torch.set_num_threads` only affects the calling thread; libraries with their own thread pools
    read these variables. DYNAMIC would let them use fewer threads on a busy machine.
    """
    return {
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        "OMP_DYNAMIC": "FALSE",
        "MKL_DYNAMIC": "FALSE",
    }


def describe_instructions() -> str:
    """Name the CPU instruction set that torch uses here, and any limit set by the user."""
    import torch

    found = [torch.backends.cpu.get_cpu_capability()]
    capabilities = torch.cpu.get_capabilities()
    found += [name for name in ("avx512_bf16", "amx_bf16") if capabilities.get(name)]
    found += [f"{name}={os.environ[name]}" for name in _CHOICES if os.environ.get(name)]
    return ", ".join(found)
