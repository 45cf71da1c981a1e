"""The end of `resnext train`: evaluation, report and exit status."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from resnext.training.display import Display

_USELESS = 3


def finish_training(run: Path, display: Display, *, quiet: bool, as_json: bool) -> int:
    """Evaluate the weights, write the report, and return the exit status.

    Args:
        run: The run folder.
        display: Shows messages.
        quiet: Print only errors, and JSON if requested.
        as_json: Print the final metrics as JSON.
    """
    from resnext.evaluation.run import evaluate_run
    from resnext.runs.folder import read_config
    from resnext.runs.health import judge_run
    from resnext.runs.kept_epoch import kept_epoch
    from resnext.runs.metrics_log import read_metrics
    from resnext.tasks.kinds import task_kind
    from resnext.training.early_stopping import stopped_epoch

    figures = evaluate_run(run)
    epochs = [row for row in read_metrics(run) if row["kind"] == "epoch"]
    config = read_config(run)
    problems = {finding.kind: finding.text for finding in judge_run(epochs, config)}
    kept, stopped = kept_epoch(config, epochs), stopped_epoch(config, epochs)
    trained = "" if stopped is None else f" (stopped after {stopped})"
    measure = task_kind(config.task).measure
    display.note(
        f"kept: the weights of epoch {kept['epoch']} of {config.schedule.epochs}{trained}, "
        f"{measure.label} {measure.write(figures[measure.key])} on the validation split\n"
        f"report: {run / 'report.html'}"
    )
    if as_json:
        ending = {"kept_epoch": kept["epoch"], "stopped_early_after": stopped}
        print(json.dumps({"run": str(run), **figures, **ending, "problems": problems}))
    for kind, text in problems.items():
        display.note(f"warning: {text}")
        if quiet and kind == "useless":
            print(f"resnext: {text}", file=sys.stderr)
    # torchrun would take the status for a crash, and train again.
    is_alone = os.environ.get("WORLD_SIZE", "1") == "1"
    return _USELESS if "useless" in problems and is_alone else 0
