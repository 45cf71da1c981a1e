"""A study on disk: its settings file, in the folder of its report.

ROOT/NAME/study.yaml is next to the report; the trials are in ROOT/trials, which studies share.
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
    """Create the study's folder and store the study in it.

    Raises:
        RunError: The folder contains a different study of that name, or cannot be written. Changing
            only seeds, comparisons or descriptions does not make it a different study.
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
            f"{folder} contains a study of the same name with other settings; choose another "
            f"folder for this report with --root, or remove {folder / STUDY} to replace that "
            "study (trials are kept either way)"
        )
    return folder


def read_kept(study: Study, root: Path) -> Study | None:
    """Return the stored study of the same name, if there is one.

    Raises:
        ConfigError: The file is not a study.
        RunError: It cannot be read.
    """
    file = root / study.name / STUDY
    return read_study(file) if is_there(file) else None


def recall(study: Study, root: Path) -> Study:
    """Fill in how the trials of a study below a root are computed.

    A study that ran there has recorded it. One that ran before this was recorded leaves the
    settings open, so that its trials are found under their original names.
    """
    if is_study_settled(study):
        return study
    kept = read_kept(study, root)
    return settle_arithmetic(study) if kept is None else adopt_arithmetic(study, kept)


def write_study(file: Path, study: Study) -> None:
    """Write a resolved study atomically."""
    text = yaml.safe_dump(study.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    write_whole(file, text, is_shared=True)


def read_study(file: Path) -> Study:
    """Read a resolved study.

    Raises:
        RunError: There is no such file.
        ConfigError: It is not a study.
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
        ConfigError: It is not YAML, or contains no settings.
    """
    try:
        values = read_bounded_yaml(file, _MAX_BYTES, _MAX_VALUES)
    except OSError as error:
        raise RunError(f"cannot read {file}: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"{file} {error}") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{file} contains no settings; it needs lines such as 'seeds: [0, 1, 2]'")
    return values
