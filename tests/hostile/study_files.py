"""Damaged and hostile files of studies: what a person writes, and what lies in their folders."""

from __future__ import annotations

import io
import json
import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from counts import Counts
from mutation import mutate

from resnext.api.study_file import open_study
from resnext.cli.study_output import print_status, print_verdicts
from resnext.data.config import DataConfig
from resnext.errors import ResNeXtError
from resnext.model.names import config_from
from resnext.recipes.study_scale import Choice
from resnext.runs.config import RuntimeConfig, ScheduleConfig, TrainConfig
from resnext.runs.folder import write_config
from resnext.studies.execution.halving import HalvingController
from resnext.studies.execution.progress import Progress
from resnext.studies.execution.scheduler import status_rows
from resnext.studies.records.measured import figures_of
from resnext.studies.records.results import read_row
from resnext.studies.records.study_folder import recall, settle_folder
from resnext.studies.records.trial import (
    Trial,
    create_trial,
    key_of_test,
    plan_trials,
    read_trial,
)
from resnext.studies.report.files import write_report
from resnext.studies.study import Design, Halving, Study, Test

_SHARE_REPORTED = 0.015  # it draws plots

_WRITTEN = """\
name: mine
question: Do more paths help?
space: {kind: grid, base: resnext_1-1_2x4d_cifar, vary: {cardinality: [1, 2], shortcut: [B, none]}}
data: [digits]
recipe: fast
set: {schedule.epochs: 2, data.num_train: 64, optim.lr: 0.1}
seeds: [0, 1]
compare: [["2x4d, shortcut=B", "1x4d, shortcut=B"]]
halving: {min_epochs: 1, factor: 2}
---
name: family
space: {kind: equal_cost, like: resnext_1-1_1x16d_cifar, cardinality: [1, 4], factor: 1.5}
data: [digits]
baseline: 1x24d
---
name: drawn
kind: distribution
space:
  kind: random
  base: resnext_1-1_2x4d_cifar
  num: 2
  window: [0.5, 2.0]
  blocks: [1, 2]
  cardinality: [1, 2]
  bottleneck_width: [4, 8]
data: [digits]
---
name: listed
space:
  kind: list
  networks: [resnet29, {name: resnext29_8x64d, stem_width: 32, label: thin stem}]
data: [digits]
"""

_FRAGMENTS = (
    b"&a [*a]",
    b"{x: &a [1], y: *a}",
    b"\n? [1, 2]\n: 3\n",
    b"\n1: 2\n",
    b"9" * 5000,
    b"9" * 90,
    b"1.0e308",
    b".inf",
    b".nan",
    b"NaN",
    b"2024-02-31",
    b"!!python/object/apply:os.system ['x']",
    b"[" * 3000,
    b"{" * 3000,
    b'{"a":' * 3000,
    b"\x00",
    b"\xff",
    b"\x1b[2J",
    b"\nnull\n",
    b"\n[]\n",
    b'\n{"kind": "epoch", "epoch": "x"}\n',
    b'\n{"kind": "epoch", "epoch": 1, "step": 0, "top1_error": 5, "seconds": -1}\n',
    b'"\\ud800"',
    b"../../x",
    b"self: 1\n",
    b'"self": 1, ',
    b"\xe2\x80\xae",
    b"=cmd()",
)

_BOMB = b"a0: &a0 [x, x]\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 12)
)

_WHOLE = (
    b"",
    b"null",
    b"[]",
    b"{}",
    b"3",
    b'"text"',
    b"\xff\xfe\x00",
    b"9" * 5000,
    b"[" * 100_000,
    b'{"a": ' * 100_000,
    b"a: [" * 5000,
    _BOMB,
    b"&a [*a]",
    b"name: x\n" * 2,
    b"{1: 2, null: 3, [1]: 4}",
    b"\n" * 1000 + b"{",
    b"self: 1",
    b'{"self": 1}',
    b"x: 2024-02-31",
    b"name: big\ndata: [digits]\nspace: {kind: grid, base: resnet29, vary: {"
    + b", ".join(b"k%d: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]" % n for n in range(9))
    + b"}}",
    b"name: deep\ndata: [digits]\nspace: {kind: list, networks: [resnext_999999999_2x4d_cifar]}",
    b"name: deep\ndata: [digits]\n"
    b"space: {kind: equal_cost, like: resnext9000002, cardinality: [1]}",
    b"name: long\ndata: [digits]\nspace: {kind: list, networks: [resnet" + b"9" * 5000 + b"]}",
    b"name: many\ndata: [digits]\nspace: {kind: random, base: resnet29, num: 1000000000}",
    b"name: ../../x\ndata: [digits]\nspace: {kind: list, networks: [resnet29]}",
    b"name: far\ndata: ['" + b"x" * 5000 + b"']\nspace: {kind: list, networks: [resnet29]}",
    b"name: home\ndata: ['~nobody-here/x']\nspace: {kind: list, networks: [resnet29]}",
    b"name: twice\ndata: [digits]\nspace: {kind: list, networks: [{name: resnet29, self: 1}]}",
    b"name: s\ndata: [digits]\nset: {self: 1}\nspace: {kind: list, networks: [resnet29]}",
    b"name: s\ndata: [digits]\nset: {__class__.x: 1}\nspace: {kind: list, networks: [resnet29]}",
)


def _study() -> Study:
    designs = tuple(
        Design(
            label=f"<{number}> \x85\u202e=|", model=config_from(f"resnext_1-1_{number}x4d_cifar")
        )
        for number in (1, 2, 4)
    )
    runtime = RuntimeConfig(device="cpu", precision="fp32", threads=1)
    settings = TrainConfig(
        data=DataConfig(name="digits"), schedule=ScheduleConfig(epochs=4), runtime=runtime
    )
    return Study(
        name="small",
        question="?",
        designs=designs,
        settings=(settings,),
        seeds=(0, 1),
        tests=(Test(name="again"),),
        halving=Halving(min_epochs=1, factor=2),
        processes=1,
    )


def _write(folder: Path, files: dict[str, Any]) -> None:
    for name, value in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        rows = [json.dumps(row) for row in value] if name.endswith("l") else [json.dumps(value)]
        (folder / name).write_text("\n".join(rows) + "\n", encoding="utf-8")


def _finish(trial: Trial, root: Path, error: float) -> None:
    """Write what a trial that has finished leaves behind."""
    errors = {"top1_error": error, "train_top1_error": error / 2}
    losses = {"loss": 1.0, "train_loss": 0.5, "seconds": 1.5}
    figures = {"top5_error": 1.0, "best_top1_error": error, "parameters": 900, "macs": 800}
    epochs = [
        {"kind": "epoch", "step": 9 * n, "epoch": n, "top5_error": 1.0} | errors | losses
        for n in range(1, 5)
    ]
    train = {"kind": "train", "step": 36, "epoch": 4, "loss": 0.5, "images_per_s": 100.0}
    machine = {"cpu": "a", "device": "cpu", "precision": "float32", "threads": 1, "torch": "2"}
    folder = create_trial(trial, root)
    _write(
        folder,
        {
            "result.json": errors | losses | figures | {"activations": 7, "epochs": 4},
            f"tests/{key_of_test(trial.tests[0])}.json": {"top1_error": error, "top5_error": 1.0},
            "attempts.jsonl": [{"reason": "killed", "detail": "by SIGKILL", "is_last": False}],
            "machines.jsonl": [machine],
            "run/metrics.jsonl": [*epochs, train],
            "run/environment.json": {"python": "3.11", "packages": {"torch": "2.1"}},
        },
    )
    write_config(folder / "run", trial.config)


def _make(root: Path) -> dict[str, Path]:
    """Make a study of six trials, one of them stopped, and return the files to damage."""
    study = _study()
    trials = plan_trials(study)
    for number, trial in enumerate(trials):
        _finish(trial, root, 5.0 + number)
    stopped = trials[-1].folder(root)
    (stopped / "result.json").unlink()
    cut = {"study": study.name, "epoch": 1, "error": 9.0, "rung": 0, "min_epochs": 1, "factor": 2}
    _write(stopped, {"pruned.json": cut})
    folder = settle_folder(study, root)
    spread = {f"{name}{end}": 2.0 for name in ("step_ms", "latency_ms") for end in ("", "_low")}
    spread |= {"step_ms_high": 3.0, "latency_ms_high": 3.0}
    counts = {"batch_size": 32, "image_size_px": 8, "threads": 1, "n": 11}
    times = [{"label": d.label, "machine": "a", **spread, **counts} for d in study.designs]
    _write(folder, {"timing.json": times})
    first = trials[0].folder(root)
    files = {str(path.relative_to(first)): path for path in first.rglob("*") if path.is_file()}
    del files["run/config.yaml"]  # a run's own file
    written = {}
    for text in _WRITTEN.split("---\n"):
        path = root / f"{text.split()[1]}.yaml"
        path.write_text(text, encoding="utf-8")
        written[path.name] = path
    known = {"study.yaml": folder / "study.yaml", "timing.json": folder / "timing.json"}
    return {**files, "pruned.json": stopped / "pruned.json", **known, **written}


def _use_folder(root: Path, *, is_reported: bool) -> None:
    """Do with a study what status and report do, and what a run reads."""
    study = recall(open_study(str(root / "small"), Choice()), root)
    rows = status_rows(study, root)
    with redirect_stdout(io.StringIO()):
        print_status(study, rows)
        print_verdicts(study, rows)
    if is_reported:
        write_report(study, rows, root / "small")
    judge = HalvingController(study, Halving())
    progress = Progress("quiet", 6, 0)
    for trial in plan_trials(study):
        folder = trial.folder(root)
        judge.look(trial, folder)
        judge.ended(trial.key)
        progress.started(trial, folder)
        progress.ended(read_row(trial, root))
    damaged = plan_trials(study)[0].folder(root)
    for read in (read_trial, figures_of):
        read(damaged)
    create_trial(plan_trials(study)[0], root)


def _use_written(file: Path, root: Path) -> None:
    """Do with a study that a person wrote what status does."""
    study = recall(open_study(str(file), Choice()), root)
    with redirect_stdout(io.StringIO()):
        print_status(study, status_rows(study, root))


@contextmanager
def _damaged(file: Path, data: bytes) -> Iterator[None]:
    whole = file.read_bytes()
    file.write_bytes(data)
    try:
        yield
    finally:
        file.write_bytes(whole)


def run(num_files: int, seed: int) -> Counts:
    """Damage each file of a study many times, and use the study each time.

    Args:
        num_files: Times that each file is damaged, every second time as a whole.
        seed: Decides the damage.
    """
    counts = Counts("study files")
    root = Path(tempfile.mkdtemp(prefix="studies-"))
    try:
        for name, file in _make(root).items():
            whole = file.read_bytes()
            for number in range(num_files):
                rng = random.Random(f"{seed} {name} {number}")
                data = mutate(whole, rng, _FRAGMENTS)
                if number % 2:
                    data = rng.choice(_WHOLE)
                is_reported = rng.random() < _SHARE_REPORTED

                def use(path: Path = file, is_reported: bool = is_reported) -> None:
                    if path.parent == root:
                        _use_written(path, root)
                    else:
                        _use_folder(root, is_reported=is_reported)

                with _damaged(file, data):
                    counts.add(f"{name}, seed {seed}, number {number}", use, ResNeXtError)
    finally:
        shutil.rmtree(root)
    return counts
