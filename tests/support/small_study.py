"""A study of tiny networks on the real digits, whose trials take seconds, and ways to run it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from liveness import is_alive
from tiny_config import TINY

from resnext.data.augment.config import AugmentConfig
from resnext.data.config import DataConfig
from resnext.runs.config import OptimConfig, RuntimeConfig, ScheduleConfig, TrainConfig
from resnext.runs.metrics_log import read_metrics
from resnext.studies.execution.scheduler import RunOptions, run_study
from resnext.studies.records.results import Row
from resnext.studies.records.study_folder import read_study, recall, write_study
from resnext.studies.records.trial import plan_trials
from resnext.studies.study import Design, Study, Test

SECONDS = 120
_TIMES = {"seconds", "images_per_s"}


def small_study(**changes: Any) -> Study:
    """Return two designs, one seed, two epochs."""
    wide = TINY.replace(cardinality=1, bottleneck_width=8)
    designs = (Design(label="1x8d", model=wide), Design(label="2x4d", model=TINY))
    given = {"name": "small", "question": "Which?", "designs": designs, "seeds": (0,)}
    return Study(**given | {"settings": (small_settings(),)} | changes)


def small_settings(*, epochs: int = 2, **changes: object) -> TrainConfig:
    """Return settings that train in a second."""
    config = TrainConfig(
        data=DataConfig(name="digits", workers=0, num_train=200),
        augment=AugmentConfig(crop="pad", pad_px=1),
        optim=OptimConfig(lr=0.05, lr_batch_size=128),
        schedule=ScheduleConfig(epochs=epochs),
        runtime=RuntimeConfig(device="cpu", precision="fp32"),
        batch_size=64,
    )
    return config.replace(**changes)


def long_settings() -> TrainConfig:
    """Return settings that train for some seconds, and save at every step."""
    return small_settings(epochs=25, checkpoint_minutes=1e-6)


VALIDATION = Test(name="again")


def run(study: Study, root: Path, **options: Any) -> list[Row]:
    """Run a study in this process."""
    given: dict[str, Any] = {"threads": 1, "mode": "quiet"} | options
    return run_study(study, root, RunOptions(**given))


def start_driver(study: Study, root: Path, **options: Any) -> subprocess.Popen[str]:
    """Run a study in a process of its own, which prints plain lines to stderr."""
    root.mkdir(parents=True, exist_ok=True)
    file = root / f"{study.name}.yaml"
    write_study(file, study)
    command = [sys.executable, __file__, str(file), str(root), json.dumps({"threads": 1} | options)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def end_driver(driver: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for a driver; return its status and what it said."""
    _, said = driver.communicate(timeout=SECONDS)
    return driver.returncode, said


def figures(row: Row) -> list[dict[str, Any]]:
    """Return the lines of a trial's log without the times."""
    lines = read_metrics(row.run)
    return [{name: line[name] for name in line if name not in _TIMES} for line in lines]


def all_figures(rows: list[Row]) -> dict[str, list[dict[str, Any]]]:
    """Return the logs of all trials, by key."""
    return {row.trial.key: figures(row) for row in rows}


def wait_for(condition: Callable[[], Any]) -> Any:
    """Wait until a condition holds, and return what it found."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("waited in vain")


def children(study: Study, root: Path) -> dict[Path, int]:
    """Return the processes that train at this moment, by the trials' folders."""
    found = {}
    for trial in plan_trials(recall(study, root)):
        folder = trial.folder(root)
        claims = sorted(folder.glob("claim-??????"))
        if claims and claims[-1].read_text() and not claims[-1].with_suffix(".released").exists():
            found[folder] = int(json.loads(claims[-1].read_text())["pid"])
    return found


def trained_steps(folder: Path) -> int:
    """Return the optimiser steps that a trial's log tells."""
    return max((line["step"] for line in read_metrics(folder / "run")), default=0)


def wait_for_training(study: Study, root: Path) -> dict[Path, int]:
    """Wait until a trial has trained an epoch; return the processes of all."""

    def found() -> dict[Path, int]:
        claimed = children(study, root)
        return claimed if any(trained_steps(folder) for folder in claimed) else {}

    result: dict[Path, int] = wait_for(found)
    return result


def kill(*pids: int) -> None:
    """End processes without a warning, and wait until they are gone."""
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not any(map(is_alive, pids)))


def _main() -> int:
    from resnext.errors import ResNeXtError
    from resnext.training.interrupt import Interrupted

    file, root, options = sys.argv[1:]
    try:
        rows = run_study(read_study(Path(file)), Path(root), RunOptions(**json.loads(options)))
    except Interrupted as stop:
        print(stop, file=sys.stderr)
        return 128 + stop.signal_number
    except ResNeXtError as error:
        print(error, file=sys.stderr)
        return 2
    return 0 if all(row.state == "done" for row in rows) else 1


if __name__ == "__main__":
    sys.exit(_main())
