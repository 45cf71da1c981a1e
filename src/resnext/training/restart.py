"""Restarts: a launcher runs the same command again after a failure.

`torchrun --max-restarts N` and a requeued SLURM job run their command, `resnext train --out RUN
...`, again and count the restarts. A restart resumes the run that the first start created. Only a
run with exactly the settings of the command is resumed, so that a restart cannot resume an
unrelated older run in that folder.
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
    """Return whether a launcher started this command before, for the same training."""
    return any(_number(name) > 0 for name in _COUNTS)


def check_restartable(*, has_folder: bool) -> None:
    """Check that a restarted command will find its run.

    Args:
        has_folder: Whether the command names the run's folder.

    Raises:
        ConfigError: It does not, although torchrun may restart it.
    """
    if _number(_MAX_RESTARTS) > 0 and not has_folder:
        raise ConfigError(
            f"torchrun was given --max-restarts {_number(_MAX_RESTARTS)}, but a restarted "
            "process could not know which run to resume; give its folder: --out FOLDER"
        )


def begun_settings(out: Path | None, *, goes_on: bool) -> TrainConfig | None:
    """Return the settings of the run that a command resumes, if any.

    Args:
        out: The run folder given in the command.
        goes_on: Whether it resumes an existing run even without a launcher.
    """
    if out is None or not (goes_on or is_restart()) or not (out / CONFIG).exists():
        return None
    return read_config(out)


def has_begun(run: Path, config: TrainConfig) -> bool:
    """Return whether the first start created a run with these settings.

    Leftovers of a start that was killed while creating the folder are removed.

    Raises:
        RunError: The folder contains a run with other settings.
    """
    if not (run / CONFIG).exists():
        for partial in run.glob("*.partial"):
            partial.unlink()
        return False
    if read_config(run) != config:
        raise RunError(
            f"{run} contains a run with other settings, which a restart does not resume; choose "
            f"another --out, or resume it: resnext train --resume {run}"
        )
    return True


def _number(name: str) -> int:
    text = os.environ.get(name, "")
    return int(text) if text.isdigit() else 0
