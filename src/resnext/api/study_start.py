"""A study by its name, where it is kept, and its run from first trial to report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from resnext.errors import ConfigError
from resnext.untrusted.names import is_utf8, shown

if TYPE_CHECKING:
    from resnext.recipes.study_scale import Choice
    from resnext.studies.execution.scheduler import RunOptions
    from resnext.studies.records.results import Row
    from resnext.studies.study import Study

_ROOT = Path("studies")


@dataclass(frozen=True)
class DoneStudy:
    """A study of which all is done that could be.

    Attributes:
        study: The study, with nothing left open.
        rows: Its trials.
        folder: Where its report is.
    """

    study: Study
    rows: list[Row]
    folder: Path


def named_study(name: str, choice: Choice, root: Path | None = None) -> Study:
    """Return a study by its name, file or folder, or by its name below the root.

    Args:
        name: What names it.
        choice: Scale, data, seeds and changes.
        root: The folder of trials and reports; by default `studies`.

    Raises:
        ConfigError: There is no such study, or something in it is wrong.
        RunError: A file cannot be read.
    """
    from resnext.api.study_file import open_study
    from resnext.files import is_there
    from resnext.recipes.studies import STUDIES
    from resnext.studies.records.study_folder import STUDY

    kept = (root or _ROOT) / name
    is_known = name in STUDIES or is_there(Path(name))
    return open_study(str(kept) if not is_known and is_there(kept / STUDY) else name, choice)


def root_of(name: str, root: Path | None) -> Path:
    """Return the folder of trials and reports: that of a study's folder is its parent.

    Args:
        name: What names the study.
        root: The folder, if it was given.

    Raises:
        ConfigError: It is not UTF-8.
    """
    if root is not None:
        if not is_utf8(str(root)):
            raise ConfigError(f"--root {shown(str(root))} is not UTF-8, as runs must be")
        return root
    from resnext.files import is_there
    from resnext.studies.records.study_folder import STUDY

    folder = Path(name)
    if not is_there(folder / STUDY):
        return _ROOT
    has_parent = folder.name not in ("", "..")  # as `.` and `..` do not say it
    return folder.parent if has_parent else folder.resolve().parent


def run_and_report(study: Study, root: Path, options: RunOptions) -> DoneStudy:
    """Run what is missing, then write the report.

    Args:
        study: The study.
        root: The folder of trials and reports.
        options: How many trials at once, and where.

    Raises:
        Interrupted: A signal asked to stop; the trials have saved their state.
        ConfigError: All trials are refused alike.
        RunError: The folder cannot be written.
    """
    from resnext.studies.execution.scheduler import run_study, settle_study
    from resnext.studies.records.study_folder import settle_folder
    from resnext.studies.report.files import write_report

    study = settle_study(study, root, options)
    folder = settle_folder(study, root)
    rows = run_study(study, root, options)
    write_report(study, rows, folder)
    return DoneStudy(study, rows, folder)
