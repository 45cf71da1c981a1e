"""Opens a study by name, finds its folder, and runs it up to the report."""

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
    """A study after running all possible trials.

    Attributes:
        study: The study, fully resolved.
        rows: Its trials.
        folder: Folder of its report.
    """

    study: Study
    rows: list[Row]
    folder: Path


def named_study(name: str, choice: Choice, root: Path | None = None) -> Study:
    """Return a study by its name, file or folder, or by its name below the root.

    Args:
        name: Its name, file or folder.
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
    """Return the folder of trials and reports; for a study's folder, its parent.

    Args:
        name: Name, file or folder of the study.
        root: The folder, if given.

    Raises:
        ConfigError: It is not UTF-8.
    """
    if root is not None:
        if not is_utf8(str(root)):
            raise ConfigError(f"--root {shown(str(root))} is not valid UTF-8, which runs require")
        return root
    from resnext.files import is_there
    from resnext.studies.records.study_folder import STUDY

    folder = Path(name)
    if not is_there(folder / STUDY):
        return _ROOT
    has_parent = folder.name not in ("", "..")  # as `.` and `..` do not say it
    return folder.parent if has_parent else folder.resolve().parent


def run_and_report(study: Study, root: Path, options: RunOptions) -> DoneStudy:
    """Run the missing trials, then write the report.

    Args:
        study: The study.
        root: The folder of trials and reports.
        options: How to run the trials.

    Raises:
        Interrupted: A signal asked to stop; the trials have saved their state.
        ConfigError: All trials are refused for the same reason.
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
