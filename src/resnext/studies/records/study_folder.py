"""A study on disk: the file that says what it is, in the folder that its report goes to.

ROOT/NAME/study.yaml lies beside the report; the trials are in ROOT/trials, shared with others.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from resnext.errors import ConfigError, RunError
from resnext.files import is_there, write_whole
from resnext.studies.records.arithmetic import (
    adopt_arithmetic,
    is_study_settled,
    settle_arithmetic,
)
from resnext.studies.study import Study
from resnext.untrusted.parse import read_yaml as read_bounded_yaml

STUDY = "study.yaml"

_MAX_BYTES = 2**20
_MAX_VALUES = 100_000  # a thousand designs have about half as many


def settle_folder(study: Study, root: Path) -> Path:
    """Make the study's folder and keep the study in it.

    Raises:
        RunError: The folder holds another study of that name, or cannot be written. Other
            seeds, comparisons or words make no other study.
    """
    folder = root / study.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        kept = read_kept(study, root) or study
        study = adopt_arithmetic(study, kept)
        kept = adopt_arithmetic(kept, study)
        parts = ("designs", "settings", "tests", "processes")
        is_same = all(getattr(kept, part) == getattr(study, part) for part in parts)
        if is_same:
            write_study(folder / STUDY, study)
    except OSError as error:
        raise RunError(f"cannot write {folder}: {error.strerror}; choose another --root") from None
    if not is_same:
        raise RunError(
            f"{folder} holds a study of the same name with other settings; trials are shared "
            "anyway, so give this one another place for its report with --root, or remove "
            f"{folder / STUDY} to replace it"
        )
    return folder


def read_kept(study: Study, root: Path) -> Study | None:
    """Return the study of the same name that a root holds, if any.

    Raises:
        ConfigError: What it holds is no study.
        RunError: It cannot be read.
    """
    file = root / study.name / STUDY
    return read_study(file) if is_there(file) else None


def recall(study: Study, root: Path) -> Study:
    """Return a study as its trials below a root are computed.

    A study that has run there says so. One that ran before this was recorded leaves it open, by
    which its trials are found under their names of that time.
    """
    if is_study_settled(study):
        return study
    kept = read_kept(study, root)
    return settle_arithmetic(study) if kept is None else adopt_arithmetic(study, kept)


def write_study(file: Path, study: Study) -> None:
    """Write a resolved study, whole or not at all."""
    text = yaml.safe_dump(study.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    write_whole(file, text, is_shared=True)


def read_study(file: Path) -> Study:
    """Read a resolved study.

    Raises:
        RunError: There is no such file.
        ConfigError: It is no study.
    """
    values = read_yaml(file)
    try:
        return Study(**values)
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from None


def read_yaml(file: Path) -> dict[str, Any]:
    """Read the settings of a YAML file.

    Raises:
        RunError: There is no such file.
        ConfigError: It is not YAML, or holds no settings.
    """
    try:
        values = read_bounded_yaml(file, _MAX_BYTES, _MAX_VALUES)
    except OSError as error:
        raise RunError(f"cannot read {file}: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"{file} {error}") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{file} holds no settings; it needs lines such as 'seeds: [0, 1, 2]'")
    return values
