"""Compare networks at equal cost: run a study, check its status, write its report.

NAME is a named study (`resnext study list`), a YAML file, the folder of a study, or its name below
--root. Trials are ordinary runs below --root, shared between studies; running a study again only
runs missing trials.

Examples:
  resnext study list
  resnext study show table3
  resnext study show table4 --scale small --data cifar10
  resnext study run table3 --scale small --data fashion-mnist --jobs 2
  resnext study run table3 --scale small --data photos/ --set schedule.epochs=20 --seeds 0 1 2 3
  resnext study run table3 --data imagenet:DIR --cluster auto
  resnext study run cardinality --data series:GunPoint_TRAIN.ts
  resnext study run my-study.yaml
  resnext study status studies/table3-small-fashion-mnist
  resnext study report table3-small-fashion-mnist
  resnext study report table3-small-fashion-mnist --figures paper/figures
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from resnext.api.study_start import named_study, root_of, run_and_report
from resnext.cli.arguments import parse
from resnext.cli.study_arguments import (
    ACTIONS,
    StudyList,
    StudyReport,
    StudyRun,
    StudyShow,
    StudyStatus,
)
from resnext.errors import ConfigError, RunError

if TYPE_CHECKING:
    from resnext.studies.records.results import Row
    from resnext.studies.study import Study


def main(argv: list[str]) -> int:
    """Run the verb.

    Raises:
        ConfigError: The study, its data or a setting is wrong.
        RunError: There is no such folder, or it cannot be written.
    """
    arguments = parse(ACTIONS, argv, __doc__)
    if isinstance(arguments, StudyList):
        return _list(arguments)
    assert isinstance(arguments, StudyShow)
    if arguments.name == "":
        raise ConfigError("give a study; see `resnext study list`")
    study = _open(arguments)
    if isinstance(arguments, StudyRun):
        return _run(study, arguments)
    if isinstance(arguments, StudyReport):
        return _report(study, arguments)
    if isinstance(arguments, StudyStatus):
        return _status(study, arguments)
    return _show(study, arguments)


def _root(arguments: StudyStatus) -> Path:
    return root_of(arguments.name, arguments.root)


def _list(arguments: StudyList) -> int:
    from resnext.recipes.studies import STUDIES

    summaries = {name: (make.__doc__ or "").partition("\n")[0] for name, make in STUDIES.items()}
    summaries = {name: _as_title(text) for name, text in summaries.items()}
    if arguments.json:
        print(json.dumps(summaries, indent=2))
    else:
        print("\n".join(f"{name:<13} {text}" for name, text in summaries.items()))
    return 0


def _as_title(text: str) -> str:
    title = text.removeprefix("Return ").rstrip(".")
    return title[:1].upper() + title[1:]


def _open(arguments: StudyShow) -> Study:
    from resnext.data.sets.parse import parse_data
    from resnext.recipes.study_scale import Choice

    choice = Choice(
        head=arguments.head,
        scale=arguments.scale,
        data=tuple(parse_data(text) for text in arguments.data),
        seeds=arguments.seeds,
        recipe=arguments.recipe,
        changes=arguments.set,
    )
    return named_study(arguments.name, choice, getattr(arguments, "root", None))


def _show(study: Study, arguments: StudyShow) -> int:
    from resnext.cli.study_output import print_study, study_as_dict

    if arguments.json:
        print(json.dumps(study_as_dict(study), indent=2))
    else:
        print_study(study)
    return 0


def _run(study: Study, arguments: StudyRun) -> int:
    """Run the missing trials, then write the report."""
    from resnext.cli.study_output import print_verdicts
    from resnext.studies.execution.scheduler import RunOptions
    from resnext.training.display import default_mode
    from resnext.training.interrupt import Interrupted

    root = _root(arguments)
    options = RunOptions(
        jobs=arguments.jobs,
        threads=arguments.threads,
        processes=arguments.processes,
        cluster=arguments.cluster,
        mode=default_mode(quiet=arguments.quiet),
        halving=arguments.halving,
    )
    try:
        done = run_and_report(study, root, options)
    except Interrupted as stop:
        print(f"{stop}; resume with: resnext study run {root / study.name}", file=sys.stderr)
        return 128 + stop.signal_number
    _tell(done.study, done.rows, arguments)
    if not arguments.quiet and not arguments.json:
        print_verdicts(done.study, done.rows)
        print(f"report: {done.folder / 'report.html'}")
    return 0 if all(row.state in ("done", "pruned") for row in done.rows) else 1


def _status(study: Study, arguments: StudyStatus) -> int:
    from resnext.cli.study_output import print_status
    from resnext.studies.execution.scheduler import status_rows
    from resnext.studies.records.study_folder import recall

    if arguments.root is not None and not arguments.root.is_dir():
        raise RunError(f"--root {arguments.root}: there is no such folder")
    study = recall(study, _root(arguments))
    rows = status_rows(study, _root(arguments))
    if arguments.json:
        _tell(study, rows, arguments)
    else:
        print_status(study, rows)
    return 0


def _report(study: Study, arguments: StudyReport) -> int:
    from resnext.cli.study_output import print_verdicts
    from resnext.studies.execution.scheduler import status_rows
    from resnext.studies.records.study_folder import recall, settle_folder
    from resnext.studies.report.files import write_report
    from resnext.studies.report.publication import check_folder

    if arguments.time and study.kind == "distribution":
        raise ConfigError(
            "--time is for studies that compare designs individually; this study has "
            f"{len(study.designs)} random ones, which would all be in memory at once"
        )
    if arguments.force and arguments.figures is None:
        raise ConfigError("--force replaces files in the folder of --figures; give --figures")
    root = _root(arguments)
    study = recall(study, root)
    rows = status_rows(study, root)
    if not any(row.figures for row in rows):
        raise RunError(
            f"no trial of {study.name} has finished below {root}; run it first, with the same "
            f"options: resnext study run {arguments.name} ..."
        )
    if arguments.figures is not None:
        check_folder(arguments.figures)
    if arguments.time:
        _time(study, root, quiet=arguments.quiet)
    folder = settle_folder(study, root)
    made = _write_figures(study, rows, folder, arguments)
    written = [*write_report(study, rows, folder), *made]
    _tell(study, rows, arguments)
    if not arguments.json and not arguments.quiet:
        print_verdicts(study, rows)
        print("\n".join(f"wrote {path}" for path in written))
    return 0


def _write_figures(
    study: Study, rows: list[Row], folder: Path, arguments: StudyReport
) -> list[Path]:
    """Write the files for a paper, if requested."""
    if arguments.figures is None:
        return []
    from resnext.studies.analysis.design_time import read_timing
    from resnext.studies.report.publication import make_files, write_files

    files = make_files(study, rows, read_timing(folder))
    return write_files(files, arguments.figures, force=arguments.force)


def _time(study: Study, root: Path, *, quiet: bool) -> None:
    """Time the designs, and store the times for the report."""
    from resnext.studies.analysis.design_time import write_timing
    from resnext.studies.analysis.timing import time_designs
    from resnext.studies.records.study_folder import settle_folder

    def tell(text: str) -> None:
        if not quiet:
            print(text, file=sys.stderr)

    write_timing(settle_folder(study, root), time_designs(study, progress=tell))


def _tell(study: Study, rows: list[Row], arguments: StudyStatus) -> None:
    if arguments.json:
        from resnext.studies.analysis.summary import as_dict

        print(json.dumps(as_dict(study, rows), indent=2))
