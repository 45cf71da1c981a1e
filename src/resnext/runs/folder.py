"""A run is a self-contained folder, and never overwrites another run.

config.yaml         all resolved settings; training with them reproduces the run
classes.json        the number of training images of each class, which must not change
environment.json    versions, hardware, git state
opening.json        the summary shown before training: data, network, warnings
speed.json          how layout, compilation and merged groups were chosen, if left open
metrics.jsonl       one JSON object per line: training intervals and epochs
tensorboard/        the same as TensorBoard events
last.safetensors    the checkpoint to resume from; last.previous.safetensors is the previous one
best.safetensors    the weights with the lowest validation error, or the last if so configured
evaluation.json, report.html, bad_files.json
.writer/            which process writes here; see `run_claim`
"""

from __future__ import annotations

import errno
import itertools
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import yaml

from resnext.errors import CheckpointError, ConfigError, RunError
from resnext.files import write_whole
from resnext.runs.config import TrainConfig
from resnext.untrusted.names import check_file_name, is_utf8, shown
from resnext.untrusted.parse import read_json, read_yaml

_LOG = logging.getLogger(__name__)
CONFIG = "config.yaml"
ENVIRONMENT = "environment.json"
METRICS = "metrics.jsonl"
OPENING = "opening.json"
SPEED = "speed.json"
WRITER = ".writer"
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_WRITE_ERRORS = _NO_ROOM | {errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ESTALE}
LAST = "last.safetensors"
PREVIOUS = "last.previous.safetensors"
BAD_FILES = "bad_files.json"
ValueT = TypeVar("ValueT")


def create_run_folder(path: Path | None, name: str, *, may_hold_run: bool = False) -> Path:
    """Create a new, empty run folder.

    Args:
        path: This exact folder, or None for the next free `runs/NAME`.
        name: Name under `runs/`; a number is added if it is taken.
        may_hold_run: Also accept a `path` that contains a run.

    Raises:
        ConfigError: The name is not a valid folder name, or not UTF-8.
        RunError: The folder is not empty, or cannot be created.
    """
    if not is_utf8(name if path is None else str(path)):
        raise ConfigError(
            f"a run's name must be UTF-8, and {shown(name if path is None else str(path))} is not; "
            "give another with --name, or a folder with --out"
        )
    try:
        if path is None:
            return _create_numbered(name)
        path.mkdir(parents=True, exist_ok=True)
        if not (may_hold_run and (path / CONFIG).exists()):
            check_empty(path)
    except OSError as error:
        raise RunError(
            f"cannot create the run folder {path or Path('runs') / name}: {error.strerror}; "
            "choose another folder with --out FOLDER"
        ) from None
    if not os.access(path, os.W_OK):
        raise RunError(f"{path} cannot be written; choose another --out")
    return path


def _create_numbered(name: str) -> Path:
    try:
        check_file_name(name)
    except ValueError as error:
        raise ConfigError(
            f"{error}, so it cannot be the name of a run; give another with --name, or a folder "
            "with --out"
        ) from None
    Path("runs").mkdir(exist_ok=True)
    for number in itertools.count(1):
        candidate = Path("runs") / (name if number == 1 else f"{name}-{number}")
        try:
            candidate.mkdir()  # fails if another process was faster
        except FileExistsError:
            continue
        return candidate
    raise AssertionError("unreachable: the numbers never end")


def check_empty(run: Path) -> None:
    """Check that a folder is empty, except for files of a start that was killed immediately.

    Raises:
        RunError: It is not empty.
    """
    was_begun = (run / WRITER).exists()
    for entry in run.iterdir():
        if entry.name != WRITER and not (was_begun and entry.suffix == ".partial"):
            raise RunError(
                f"{run} is not empty, and a run never overwrites another; choose another --out, "
                f"or resume it: resnext train --resume {run}"
            )


def write_config(run: Path, config: TrainConfig) -> None:
    """Write the resolved settings of a run."""
    text = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    write_whole(run / CONFIG, text)


def read_config(path: Path) -> TrainConfig:
    """Read the settings from a run folder or a YAML file.

    Raises:
        RunError: There is no such file.
        ConfigError: It is not valid YAML, or a setting is wrong.
    """
    file = path / CONFIG if path.is_dir() else path
    try:
        values = read_yaml(file)
    except OSError as error:
        raise RunError(
            f"cannot read {file}: {error.strerror}; give a run folder or a YAML file"
        ) from None
    except ValueError as error:
        raise ConfigError(f"{file} {error}") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{file} contains no settings; it needs lines such as 'batch_size: 128'")
    try:
        return TrainConfig(**values)
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from None


def open_run(run: Path) -> TrainConfig:
    """Return the settings of a run to resume.

    Raises:
        RunError: The folder is not a run.
    """
    if not (run / CONFIG).exists():
        raise RunError(f"{run} is not a run folder: it contains no {CONFIG}")
    return read_config(run)


def read_if_whole(file: Path, kind: type[ValueT]) -> ValueT | None:
    """Read an optional JSON file of a run.

    Args:
        file: The file.
        kind: `dict` or `list`: what its outermost level must be.

    Returns:
        Its value; None if there is no such file, or if it is damaged, which is logged.
    """
    try:
        value = read_json(file)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        _LOG.warning("%s %s; skipped", file, getattr(error, "strerror", None) or error)
        return None
    if not isinstance(value, kind):
        _LOG.warning("%s has unexpected content; skipped", file)
        return None
    return value


def write_json(path: Path, value: dict[str, Any] | list[Any], *, is_shared: bool = False) -> None:
    """Write a JSON file atomically, one line for each entry of the outermost level.

    Set `is_shared` if other processes may write it at the same time; see `write_whole`.
    """
    if isinstance(value, dict):
        opening, closing = "{", "}"
        lines = [f"{json.dumps(key)}: {_json(entry)}" for key, entry in value.items()]
    else:
        opening, closing = "[", "]"
        lines = [_json(entry) for entry in value]
    write_whole(
        path, f"{opening}\n  " + ",\n  ".join(lines) + f"\n{closing}\n", is_shared=is_shared
    )


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    # An unpaired surrogate, of a file's name that is not UTF-8, is written as JSON's own escape.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


@contextmanager
def explain_write_errors(run: Path) -> Iterator[None]:
    """Turn write errors, such as a full disk, into one message that says what was saved.

    Raises:
        RunError: A file of the run cannot be written.
    """
    try:
        yield
    except CheckpointError as error:
        raise CheckpointError(f"{error}. {describe_last_good(run)}") from None
    except OSError as error:
        if error.errno not in _WRITE_ERRORS and not _lies_in(run, error.filename):
            raise
        remedy = "Free disk space" if error.errno in _NO_ROOM else "Make the folder writable"
        again = f"resume with: resnext train --resume {run}"
        raise RunError(
            f"cannot write into {run}: {error.strerror}. {describe_last_good(run)} {remedy}, then "
            f"{again if (run / CONFIG).exists() else 'start again'}"
        ) from None


def _lies_in(run: Path, name: object) -> bool:
    return isinstance(name, str | Path) and Path(name).is_relative_to(run)


def describe_last_good(run: Path) -> str:
    """Describe what was saved of a run that cannot continue."""
    for name in (LAST, PREVIOUS):  # between the two renames of a save there is only the latter
        if (run / name).exists():
            return f"The last good checkpoint is intact: {run / name}."
    return "No checkpoint had been saved yet."
