"""A small real training, for the tests that kill it, resume it and spread it.

The children come from a fork server that has imported torch once, so that starting one
takes a fraction of a second.
"""

import multiprocessing
import random
import socket
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from tiny_config import TINY

from resnext.data.augment.config import AugmentConfig
from resnext.data.config import DataConfig
from resnext.runs.config import OptimConfig, RuntimeConfig, ScheduleConfig, TrainConfig
from resnext.runs.folder import open_run
from resnext.runs.metrics_log import read_metrics
from resnext.training.display import Display
from resnext.training.interrupt import Interrupted
from resnext.training.target import RunTarget
from resnext.training.train import train

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["resnext.training.train", "torch.utils.tensorboard"])


def small_run(**changes: object) -> TrainConfig:
    """Return settings that train a tiny network on the real digits in about two seconds."""
    config = TrainConfig(
        model=TINY,
        data=DataConfig(name="digits", workers=0),
        augment=AugmentConfig(crop="pad", pad_px=1),
        optim=OptimConfig(lr=0.05, lr_batch_size=128),
        schedule=ScheduleConfig(kind="cosine", epochs=4),
        runtime=RuntimeConfig(device="cpu", threads=1),
        batch_size=128,
    )
    return config.replace(**changes)


def start(config: TrainConfig, run: Path, **environment: str) -> BaseProcess:
    """Begin a run, or go on with it, in a process of its own."""
    process = _CONTEXT.Process(target=_child, args=(config, run, environment))
    process.start()
    return process


def finish(config: TrainConfig, run: Path, **environment: str) -> None:
    """Train a run to its end."""
    process = start(config, run, **environment)
    process.join(timeout=300)
    assert process.exitcode == 0


def finish_killed_after_a_save(config: TrainConfig, run: Path) -> None:
    """Train a run to its end that is killed as soon as it has saved."""
    process = start(config, run)
    while process.is_alive() and not (run / "last.safetensors").exists():
        process.join(0.01)
    process.kill()
    process.join()
    finish(settings_of(run, config), run)


def finish_killed_at_random(
    config: TrainConfig, run: Path, seconds: tuple[float, float] = (1.0, 4.0), num_kills: int = 4
) -> None:
    """Train a run to its end that is killed several times, each so many seconds after its start."""
    draw = random.Random(0)
    for _ in range(num_kills):
        process = start(settings_of(run, config), run)
        process.join(draw.uniform(*seconds))
        process.kill()
        process.join()
    finish(settings_of(run, config), run)


def settings_of(run: Path, config: TrainConfig) -> TrainConfig:
    """Return the settings of a run, or those to begin it with."""
    return open_run(run) if (run / "config.yaml").exists() else config


NO_DROPOUT = "RESNEXT_TESTS_WITHOUT_DROPOUT"
"""Set in the environment of a run, it leaves dropout out, which processes draw differently."""


def start_two(config: TrainConfig, run: Path, **environment: str) -> list[BaseProcess]:
    """Begin a run in two processes of one group."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    return [start(config, run, RANK=str(rank), **place, **environment) for rank in range(2)]


def finish_in_two(config: TrainConfig, run: Path, **environment: str) -> None:
    """Train a run to its end in two processes of one group."""
    end_together(start_two(config, run, **environment))


def end_together(processes: Sequence[BaseProcess]) -> None:
    """Wait until all processes have ended well."""
    for process in processes:
        process.join(timeout=300)
    assert [process.exitcode for process in processes] == [0] * len(processes)


def epoch_rows(run: Path) -> list[dict[str, Any]]:
    """Return what the log of a run holds on each epoch, without times."""
    return [
        {key: value for key, value in row.items() if key not in ("kind", "seconds")}
        for row in read_metrics(run)
        if row["kind"] == "epoch"
    ]


def epochs_of(run: Path) -> list[int]:
    """Return the numbers of the epochs in the log of a run."""
    return [row["epoch"] for row in epoch_rows(run)]


def tensors_of(run: Path) -> dict[str, torch.Tensor]:
    """Return all that the last checkpoint and the best weights hold."""
    last = load_file(run / "last.safetensors")
    best = load_file(run / "best.safetensors")
    return {**last, **{f"best.{name}": tensor for name, tensor in best.items()}}


def assert_same_bits(run: Path, reference: Path) -> None:
    """Check that two runs ended with the same weights, averages and momentum, bit for bit."""
    found, expected = tensors_of(run), tensors_of(reference)
    assert found.keys() == expected.keys()
    differing = [name for name in expected if not torch.equal(found[name], expected[name])]
    assert differing == []


def _child(config: TrainConfig, run: Path, environment: dict[str, str]) -> None:
    import os
    import sys

    os.environ.update(environment)
    if NO_DROPOUT in environment:
        torch.nn.Dropout.forward = lambda _, x: x  # type: ignore[assignment, method-assign]
    resumed = (run / "config.yaml").exists()
    target = RunTarget(resume=run) if resumed else RunTarget(out=run)
    try:
        train(config, target, Display("quiet"))
    except Interrupted as stop:
        sys.exit(128 + stop.signal_number)


def start_command(output: Path, *arguments: str | Path) -> BaseProcess:
    """Start `resnext ARGUMENTS` in a process of its own, what it prints going to a file."""
    process = _CONTEXT.Process(target=_command, args=(output, [str(word) for word in arguments]))
    process.start()
    return process


def start_program(output: Path, folder: Path, program: str, **environment: str) -> BaseProcess:
    """Start a Python program in a process and folder of its own; it has imported torch.

    Args:
        output: Where its standard output goes; errors go to the same name with `.err`.
        folder: Where it runs.
        program: Its source.
        environment: Variables.
    """
    process = _CONTEXT.Process(target=_program, args=(output, folder, program, environment))
    process.start()
    return process


def end_of(process: BaseProcess) -> int | None:
    """Wait for a process to end and return its exit status."""
    process.join(timeout=300)
    return process.exitcode


def _command(output: Path, arguments: list[str]) -> None:
    import sys

    from resnext.cli.main import main

    _print_to(output, output)
    sys.exit(main(arguments))


def _program(output: Path, folder: Path, program: str, environment: dict[str, str]) -> None:
    import os

    _print_to(output, output.with_suffix(".err"))
    os.chdir(folder)
    os.environ.update(environment)
    exec(compile(program, "program", "exec"), {"__name__": "__main__"})


def _print_to(output: Path, errors: Path) -> None:
    import os

    for stream, path in ((1, output), (2, errors)):
        with path.open("ab") as file:
            os.dup2(file.fileno(), stream)


def largest_difference(first: Path, second: Path) -> float:
    """Return by how much two runs differ in any weight or state."""
    found, expected = tensors_of(first), tensors_of(second)
    assert found.keys() == expected.keys()
    floats = [name for name in expected if expected[name].is_floating_point()]
    return max(float((found[name] - expected[name]).abs().max()) for name in floats)
