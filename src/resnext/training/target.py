"""Where a run goes: a new folder with the files of its beginning, or one to go on with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from resnext.data.split import DataSet
from resnext.errors import RunError
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
from resnext.training.restart import has_begun, is_restart
from resnext.training.run_claim import RunClaim


@dataclass(frozen=True)
class RunTarget:
    """Where a run goes.

    Attributes:
        out: Exactly this folder, which must be empty or new. Started again by a launcher
            (see `restart`), training goes on with the run that is there.
        goes_on: Go on with a run of the same settings in `out` also without being told by a
            launcher; a pod of Kubernetes is not told.
        name: Name under `runs/`, numbered when taken; by default made of model, data, recipe.
        resume: Go on with this run.
    """

    out: Path | None = None
    name: str | None = None
    resume: Path | None = None
    goes_on: bool = False


def open_target(
    config: TrainConfig, target: RunTarget, runtime: Runtime, data: DataSet, claim: RunClaim
) -> Path:
    """Claim the run folder, and make what is missing in it. Called in the first process only.

    Args:
        config: The resolved settings.
        target: What was asked for.
        runtime: Where the training runs, for the record.
        data: The data, which a run to go on with must have been started with.
        claim: Takes the folder.

    Returns:
        The run folder.

    Raises:
        RunError: Another process writes into the folder, it holds something else, or it cannot
            be written.
        DataError: The data are others than those of the run.
        ConfigError: The name for the run cannot be one.
    """
    is_again = is_restart() or target.goes_on
    if target.resume is not None:
        with explain_write_errors(target.resume):
            claim.take(target.resume, is_patient=is_again)
            _complete(target.resume, runtime, data)
        return target.resume
    default = "-".join(filter(None, (name_of(config.model), config.data.label, config.recipe)))
    may_go_on = is_again and target.out is not None
    run = create_run_folder(target.out, target.name or default, may_hold_run=may_go_on)
    with explain_write_errors(run):
        claim.take(run, is_patient=may_go_on)
        if may_go_on and has_begun(run, config):
            _complete(run, runtime, data)
        else:
            check_empty(run)  # again, now that nobody else can write into it
            _begin(run, config, runtime, data)
    return run


def _begin(run: Path, config: TrainConfig, runtime: Runtime, data: DataSet) -> None:
    """Write the first files of a run, all of them or none."""
    try:
        write_config(run, config)
        write_data(run, data)
        write_json(run / ENVIRONMENT, describe_environment(runtime))
    except OSError:
        for name in (CONFIG, CLASSES, ENVIRONMENT):
            (run / name).unlink(missing_ok=True)
        raise


def _complete(run: Path, runtime: Runtime, data: DataSet) -> None:
    """Check the data of a run, and write again what is missing or damaged and can be known."""
    if not run.is_dir():
        raise RunError(f"{run} is not a run folder; name one with --resume")
    check_data(run, data)
    if not (run / CLASSES).exists() and not CheckpointFiles(run).exist():
        write_data(run, data)  # it was killed at its start
    if read_if_whole(run / ENVIRONMENT, dict) is None:
        write_json(run / ENVIRONMENT, describe_environment(runtime))
