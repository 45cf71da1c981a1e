"""The folder of a run: a new one with initial files, or an existing one to resume."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from resnext.data.split import DataSet
from resnext.errors import ConfigError, RunError
from resnext.model.names import name_of
from resnext.runs.config import TrainConfig
from resnext.runs.data import CLASSES, check_data, write_data
from resnext.runs.environment import describe_environment
from resnext.runs.folder import (
    CONFIG,
    ENVIRONMENT,
    check_empty,
    create_run_folder,
    explain_write_errors,
    read_if_whole,
    write_config,
    write_json,
)
from resnext.runs.runtime import Runtime
from resnext.training.checkpoint_file import CheckpointFiles
from resnext.training.outside_data import refuse_inside
from resnext.training.restart import has_begun, is_restart
from resnext.training.run_claim import RunClaim


@dataclass(frozen=True)
class RunTarget:
    """The folder of a run.

    Attributes:
        out: This exact folder, which must be empty or new. If a launcher restarts the command (see
            `restart`), training resumes the run in it.
        goes_on: Resume a run with the same settings in `out` even without a launcher's restart
            count, as in Kubernetes pods.
        name: Name under `runs/`, numbered if taken; by default from model, data and recipe.
        resume: Run to resume.
    """

    out: Path | None = None
    name: str | None = None
    resume: Path | None = None
    goes_on: bool = False

    def __post_init__(self) -> None:
        if self.out is not None and self.name is not None:
            raise ConfigError(
                f"out={str(self.out)!r} is a folder and name={self.name!r} one below runs/; give "
                "either --out or --name"
            )


def open_target(
    config: TrainConfig, target: RunTarget, runtime: Runtime, data: DataSet, claim: RunClaim
) -> Path:
    """Claim the run folder, and create missing files. Called in the first process only.

    Args:
        config: The resolved settings.
        target: The requested folder.
        runtime: Runtime of the training, for the record.
        data: The data, which must match those of a resumed run.
        claim: Claims the folder.

    Returns:
        The run folder.

    Raises:
        RunError: Another process writes into the folder, it contains something else, or it cannot
            be written.
        DataError: The data differ from those of the run.
        ConfigError: The name of the run is not valid.
    """
    is_again = is_restart() or target.goes_on
    if target.resume is not None:
        with explain_write_errors(target.resume):
            claim.take(target.resume, is_patient=is_again)
            _complete(target.resume, runtime, data)
        return target.resume
    default = "-".join(filter(None, (name_of(config.model), config.data.label, config.recipe)))
    may_go_on = is_again and target.out is not None
    refuse_inside(config.data, target.out or Path("runs"))
    name = default if target.name is None else target.name
    run = create_run_folder(target.out, name, may_hold_run=may_go_on)
    with explain_write_errors(run):
        claim.take(run, is_patient=may_go_on)
        if may_go_on and has_begun(run, config):
            _complete(run, runtime, data)
        else:
            check_empty(run)  # again, now that nobody else can write into it
            _begin(run, config, runtime, data)
    return run


def _begin(run: Path, config: TrainConfig, runtime: Runtime, data: DataSet) -> None:
    """Write the initial files of a run atomically."""
    try:
        write_config(run, config)
        write_data(run, data)
        write_json(run / ENVIRONMENT, describe_environment(runtime))
    except OSError:
        for name in (CONFIG, CLASSES, ENVIRONMENT):
            (run / name).unlink(missing_ok=True)
        raise


def _complete(run: Path, runtime: Runtime, data: DataSet) -> None:
    """Check the data of a run, and restore missing or damaged files where possible."""
    if not run.is_dir():
        raise RunError(f"{run} is not a run folder; give one with --resume")
    check_data(run, data)
    if not (run / CLASSES).exists() and not CheckpointFiles(run).exist():
        write_data(run, data)  # it was killed at its start
    if read_if_whole(run / ENVIRONMENT, dict) is None:
        write_json(run / ENVIRONMENT, describe_environment(runtime))
