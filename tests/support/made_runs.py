"""Run folders as training leaves them, with curves that are known beforehand."""

import json
from pathlib import Path

from resnext.data.config import DataConfig
from resnext.model.names import config_from
from resnext.runs.config import TrainConfig
from resnext.runs.folder import write_config


def make_run(run: Path, errors: list[float], *, network: str = "resnext29_8x64d") -> Path:
    """Make a run with an error for each epoch.

    Args:
        run: The folder.
        errors: Validation errors in percent.
        network: Its name.
    """
    run.mkdir(parents=True)
    config = TrainConfig(model=config_from(network), data=DataConfig(name="cifar10"), seed=1)
    write_config(run, config)
    lines = [{"kind": "train", "step": 1, "epoch": 1, "loss": 2.0, "lr": 0.1}]
    lines += [
        {"kind": "epoch", "step": n, "epoch": n, "train_loss": 1.5 / n, "top1_error": error}
        | {"loss": error / 50, "train_top1_error": None, "lr": 0.1}
        for n, error in enumerate(errors, start=1)
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (run / "metrics.jsonl").write_text(text + '{"kind": "epo', encoding="utf-8")
    return run


def finish_run(run: Path, error: float, report: str = "<h1>Report</h1>") -> Path:
    """Add what an evaluation leaves."""
    (run / "evaluation.json").write_text(json.dumps({"top1_error": error}), encoding="utf-8")
    (run / "report.html").write_text(report, encoding="utf-8")
    return run
