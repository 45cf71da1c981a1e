"""Measures the overhead of a study, and how its status and report scale with the trials.

    python -m bench.study

Overhead: the same trials with the scheduler, and one after another without it, alternately.
Scaling: time and peak memory of status and report for studies with 100 and 1,000 finished trials,
written in the layout of a study, each in its own process.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from resnext.data.config import DataConfig
from resnext.model.config import ResNeXtConfig
from resnext.recipes.presets import fast
from resnext.runs.folder import METRICS
from resnext.studies.execution.scheduler import RunOptions, run_study
from resnext.studies.records.arithmetic import settle_arithmetic
from resnext.studies.records.results import TrialFigures
from resnext.studies.records.study_folder import write_study
from resnext.studies.records.trial import RESULT, RUN, create_trial, plan_trials
from resnext.studies.study import Comparison, Design, Study

_EPOCHS = 20


def small_study(num_designs: int, num_seeds: int, epochs: int) -> Study:
    """Return a study of tiny networks on the digits."""
    tiny = ResNeXtConfig(
        stem="cifar", blocks_per_stage=(1, 1), stem_width=16, stage_widths=(32, 64)
    )
    settings = fast(tiny, DataConfig())
    designs = tuple(
        Design(label=f"1x{width}d", model=tiny.replace(cardinality=1, bottleneck_width=width))
        for width in range(8, 8 + num_designs)
    )
    return Study(
        name=f"bench-{num_designs}",
        question="How much does a study add?",
        designs=designs,
        settings=(settings.replace(schedule=settings.schedule.replace(epochs=epochs)),),
        seeds=tuple(range(num_seeds)),
        comparisons=tuple(
            Comparison(better=design.label, than=designs[0].label) for design in designs[1:]
        ),
    )


def measure_overhead(num_pairs: int) -> None:
    """Print the time of a study relative to its bare trials."""
    study = settle_arithmetic(small_study(2, 1, epochs=30))
    ratios = []
    for _ in range(num_pairs):
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
            start = time.perf_counter()
            run_study(study, Path(one), RunOptions(jobs=1, mode="quiet"))
            middle = time.perf_counter()
            for trial in plan_trials(study):
                folder = create_trial(trial, Path(other))
                module = "resnext.studies.execution.trial_process"
                command = [sys.executable, "-m", module, str(folder)]
                environment = os.environ | {"OMP_NUM_THREADS": "1"}
                subprocess.run(command, check=True, env=environment)
            ratios.append((middle - start) / (time.perf_counter() - middle))
    print(
        f"study / bare trials: {statistics.median(ratios):.3f} "
        f"({min(ratios):.3f} to {max(ratios):.3f}, n={num_pairs})"
    )


def measure_growth(num_designs: int, num_seeds: int) -> None:
    """Print time and memory of status and report."""
    study = settle_arithmetic(small_study(num_designs, num_seeds, _EPOCHS))
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / study.name).mkdir()
        write_study(root / study.name / "study.yaml", study)
        for number, trial in enumerate(plan_trials(study)):
            _finish(create_trial(trial, root), error=5 + 2 * math.sin(number))
        for action in ("status", "report"):
            verb = [sys.executable, "-m", "resnext", "study", action, str(root / study.name)]
            start = time.perf_counter()
            child = subprocess.Popen(verb, stdout=subprocess.DEVNULL)
            _, status, usage = os.wait4(child.pid, 0)
            seconds = time.perf_counter() - start
            assert status == 0
            print(
                f"{action} of {num_designs * num_seeds} trials: {seconds:.1f} s, "
                f"{usage.ru_utime + usage.ru_stime:.1f} s of CPU, "
                f"{usage.ru_maxrss / 1024:.0f} MiB"
            )


def _finish(folder: Path, error: float) -> None:
    """Write the files of a finished trial."""
    figures = TrialFigures(
        value=error,
        loss=0.2,
        train_value=error / 2,
        train_loss=0.1,
        best_value=error,
        parameters=1000,
        macs=10_000,
        activations=100,
        epochs=_EPOCHS,
        seconds=10.0,
    )
    (folder / RESULT).write_text(figures.model_dump_json())
    (folder / RUN).mkdir()
    lines = [
        {"kind": "epoch", "epoch": epoch, "top1_error": error + 1, "train_top1_error": error}
        for epoch in range(1, _EPOCHS + 1)
    ]
    (folder / RUN / METRICS).write_text("".join(json.dumps(line) + "\n" for line in lines))


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=3)
    arguments = parser.parse_args()
    for num_designs in (20, 200):
        measure_growth(num_designs, num_seeds=5)
    measure_overhead(arguments.pairs)


if __name__ == "__main__":
    main()
