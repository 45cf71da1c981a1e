"""Measures the latency of designs on this machine, with its spread.

Designs are measured in turns, round by round, so that changes of the machine's load affect all
equally. Measurements are stored in the user's cache, by machine, versions and settings.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from resnext._version import __version__
from resnext.benchmark.contestant import PrecisionName, check_runtime
from resnext.benchmark.device import describe_device, find_device, stopwatch_of
from resnext.benchmark.same_process import prepare_inference, runtime_version, threads_of_torch
from resnext.checked_json import read_checked, write_checked
from resnext.complexity.count import default_side
from resnext.errors import ConfigError
from resnext.machine import cpu_name, num_cores
from resnext.model.config import ModelConfig
from resnext.turns import spread_ms, take_turns

RuntimeName = Literal["eager", "compiled", "onnxruntime"]
Milliseconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


@dataclass(frozen=True)
class LatencySetup:
    """How to measure.

    Attributes:
        runtime: Eager PyTorch, torch.compile, or ONNX Runtime.
        input_size: Side of the images in pixels; None uses the network's default.
        batch_size: Images per batch.
        threads: CPU threads.
        rounds: Measured rounds, after three warm-up rounds.
        device: `cpu`, `cuda` or `cuda:N`.
        precision: Precision of weights, images and computation.
    """

    runtime: RuntimeName = "eager"
    input_size: int | None = None
    batch_size: int = 1
    threads: int = 1
    rounds: int = 15
    device: str = "cpu"
    precision: PrecisionName = "fp32"


@dataclass(frozen=True)
class Latency:
    """Latency of one batch in milliseconds.

    Attributes:
        median_ms: Median over the rounds.
        low_ms: Lower quartile.
        high_ms: Upper quartile.
        rounds: Measured rounds.
        machine: The GPU, or processor and number of cores.
        versions: Versions of torch and the runtime.
        measured: Date and time of the measurement.
        is_cached: Whether it was found in the cache.
    """

    median_ms: Milliseconds
    low_ms: Milliseconds
    high_ms: Milliseconds
    rounds: int
    machine: str
    versions: str
    measured: str
    is_cached: bool = False


_KEPT = TypeAdapter(dict[str, Latency])


def measure_latencies(
    configs: Sequence[ModelConfig],
    setup: LatencySetup,
    *,
    cache: Path | None,
    prepared: dict[str, Callable[[], Any]] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Latency]:
    """Measure networks in turns, unless all of them are in the cache.

    A cached network is measured again together with new ones, because results under different load
    are not comparable.

    Args:
        configs: The networks.
        setup: Runtime, sizes, rounds.
        cache: File of earlier measurements; None measures everything and stores nothing.
        prepared: Networks prepared by earlier calls; new ones are added.
        progress: Called with progress messages.

    Raises:
        ConfigError: The runtime is not installed, or the cache cannot be written.
    """
    device = find_device(setup.device)
    is_on_gpu = device.type == "cuda"
    check_runtime(setup.runtime, is_on_gpu=is_on_gpu, precision=setup.precision)
    place = describe_device(device) if is_on_gpu else f"{cpu_name()}, {num_cores()} cores"
    hardware = (place, runtime_version(setup.runtime))
    keys = [_key(config, setup, hardware) for config in configs]
    known = _read(cache)
    if known.keys() >= set(keys):
        return [replace(known[key], is_cached=True) for key in keys]
    _check_writable(cache)
    networks = dict(zip(keys, configs, strict=True))  # the same network once
    with threads_of_torch(setup.threads):
        prepared = {} if prepared is None else prepared
        for number, (key, config) in enumerate(networks.items(), 1):
            if key not in prepared:
                progress(f"preparing network {number} of {len(networks)} ({setup.runtime})")
                prepared[key] = prepare_inference(config, _sized(config, setup))
        progress(f"measuring {len(networks)} networks in {setup.rounds} rounds")
        # ONNX Runtime waits for the GPU on its own stream
        in_torch = setup.runtime != "onnxruntime"
        stopwatch = stopwatch_of(device) if is_on_gpu and in_torch else None
        actions = [prepared[key] for key in networks]
        seconds = take_turns(actions, setup.rounds, stopwatch=stopwatch)
    found = {
        key: _summarise(times, setup, hardware)
        for key, times in zip(networks, seconds, strict=True)
    }
    _write(cache, found)
    return [found[key] for key in keys]


def _sized(config: ModelConfig, setup: LatencySetup) -> LatencySetup:
    return replace(setup, input_size=setup.input_size or default_side(config))


def _summarise(times: list[float], setup: LatencySetup, hardware: tuple[str, str]) -> Latency:
    now = time.strftime("%Y-%m-%d %H:%M")
    return Latency(*spread_ms(times), setup.rounds, *hardware, now)


def _key(config: ModelConfig, setup: LatencySetup, hardware: tuple[str, str]) -> str:
    setting = asdict(_sized(config, setup))
    if (setup.device, setup.precision) == ("cpu", "fp32"):  # the first versions had only these
        del setting["device"], setting["precision"]
    how = (
        "as exported" if setup.runtime == "onnxruntime" else ""
    )  # earlier versions timed another graph
    values = [config.model_dump(mode="json"), setting, hardware, __version__, how]
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _read(cache: Path | None) -> dict[str, Latency]:
    """Read the cache; a damaged one counts as empty, as it can be measured again."""
    if cache is None or not cache.exists():
        return {}
    try:
        found: dict[str, Latency] = _KEPT.validate_python(read_checked(cache))
    except ValueError:  # pydantic's error, too
        return {}
    except OSError as error:
        raise _unusable(cache, error) from None
    return found


def _check_writable(cache: Path | None) -> None:
    """Check before the measurement, which may take minutes, that it can be stored."""
    if cache is None:
        return
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=cache.parent):
            pass
    except OSError as error:
        raise _unusable(cache, error) from None


def _unusable(cache: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"cannot store measured latencies in {cache} ({error.strerror}); set another cache "
        "folder with XDG_CACHE_HOME, or use --no-cache"
    )


def _write(cache: Path | None, found: dict[str, Latency]) -> None:
    if cache is None:
        return
    rows = {key: asdict(row) for key, row in (_read(cache) | found).items()}
    write_checked(cache, rows)
