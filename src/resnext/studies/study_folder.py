"""A study on disk: the file that says what it is, in the folder that its report goes to.

ROOT/NAME/study.yaml lies beside the report; the trials are in ROOT/trials, shared with others.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from resnext.errors import ConfigError, RunError
from resnext.files import write_whole
from resnext.studies.study import Study

STUDY = "study.yaml"

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def settle_folder(study: Study, root: Path) -> Path:
    """Make the study's folder and keep the study in it.

    Raises:
        RunError: The folder holds another study of that name, or cannot be written. Other
            seeds, comparisons or words make no other study.
    """
    folder = root / study.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        kept = read_study(folder / STUDY) if (folder / STUDY).exists() else study
        parts = ("designs", "settings", "tests")
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
    return Study(**read_yaml(file))


def read_yaml(file: Path) -> dict[str, Any]:
    """Read the settings of a YAML file.

    Raises:
        RunError: There is no such file.
        ConfigError: It is not YAML, or holds no settings.
    """
    try:
        values = yaml.load(file.read_text(encoding="utf-8"), Loader=_LOADER)
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"cannot read {file}: {error}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{file} is not valid YAML: {error}") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{file} holds no settings; it needs lines such as 'seeds: [0, 1, 2]'")
    return values
