"""Starts that are repeated: a launcher runs the same command again after a failure.

`torchrun --max-restarts N` and a requeued SLURM job start the command that they were given,
`resnext train --out RUN ...`, and count how often. A repeated start goes on with the run that
the first one made. Only a run with the very settings of the command is gone on with, so that
a repeated start cannot mistake an older run in that folder for its own.
"""

from __future__ import annotations

import os
from pathlib import Path

from resnext.errors import ConfigError, RunError
from resnext.runs.config import TrainConfig
from resnext.runs.folder import CONFIG, read_config

# Set by torchrun for its workers, and by SLURM for a requeued job
_COUNTS = ("TORCHELASTIC_RESTART_COUNT", "SLURM_RESTART_COUNT")
_MAX_RESTARTS = "TORCHELASTIC_MAX_RESTARTS"


def is_restart() -> bool:
    """Tell whether a launcher started this command before, for the same training."""
    return any(_number(name) > 0 for name in _COUNTS)


def check_restartable(*, has_folder: bool) -> None:
    """Check that a restarted command will find its run.

    Args:
        has_folder: The command names the run's folder.

    Raises:
        ConfigError: It does not, and torchrun was asked to restart it.
    """
    if _number(_MAX_RESTARTS) > 0 and not has_folder:
        raise ConfigError(
            f"torchrun was given --max-restarts {_number(_MAX_RESTARTS)}, but a restarted process "
            "could not tell which run to go on with; name its folder: --out FOLDER"
        )


def begun_settings(out: Path | None, *, goes_on: bool) -> TrainConfig | None:
    """Return the settings of the run that a command goes on with, if there is one.

    Args:
        out: The run folder that the command names.
        goes_on: It goes on with a run that is there also without a launcher.
    """
    if out is None or not (goes_on or is_restart()) or not (out / CONFIG).exists():
        return None
    return read_config(out)


def has_begun(run: Path, config: TrainConfig) -> bool:
    """Tell whether the first start got as far as a run of these settings.

    What a start leaves behind that was killed while it made the folder is removed.

    Raises:
        RunError: The folder holds a run of other settings.
    """
    if not (run / CONFIG).exists():
        for partial in run.glob("*.partial"):
            partial.unlink()
        return False
    if read_config(run) != config:
        raise RunError(
            f"{run} holds a run of other settings, which a restart does not go on with; choose "
            f"another --out, or go on with it: resnext train --resume {run}"
        )
    return True


def _number(name: str) -> int:
    text = os.environ.get(name, "")
    return int(text) if text.isdigit() else 0
