"""A run is a folder that explains itself, and never overwrites another.

config.yaml         every setting, resolved; training from it reproduces the run
classes.json        the number of training images of each class, which must not change
environment.json    versions, hardware, the state of git
opening.json        what was shown before training: the data, the network, what looks wrong
speed.json          how layout, compilation and merged groups were chosen, if they were left open
metrics.jsonl       one JSON object a line: training intervals and epochs
tensorboard/        the same as TensorBoard events
last.safetensors    the checkpoint from which to go on; last.previous.safetensors is the one before
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
    """Make a new, empty run folder.

    Args:
        path: Exactly this folder, or None to take the next free `runs/NAME`.
        name: Name under `runs/`; a number is added when it is taken.
        may_hold_run: Accept also `path` with a run in it.

    Raises:
        ConfigError: The name is not one of a folder, or not UTF-8.
        RunError: The folder holds something already, or cannot be made.
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
            f"cannot make the run folder {path or Path('runs') / name}: {error.strerror}; "
            "choose another place with --out FOLDER"
        ) from None
    if not os.access(path, os.W_OK):
        raise RunError(f"{path} cannot be written; choose another --out")
    return path


def _create_numbered(name: str) -> Path:
    try:
        check_file_name(name)
    except ValueError as error:
        raise ConfigError(
            f"{error}, so no run can have this name; give another with --name, or a folder with "
            "--out"
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
    """Check that a folder holds nothing but what a start leaves that was killed at once.

    Raises:
        RunError: It holds something.
    """
    was_begun = (run / WRITER).exists()
    for entry in run.iterdir():
        if entry.name != WRITER and not (was_begun and entry.suffix == ".partial"):
            raise RunError(
                f"{run} is not empty, and a run never overwrites another; choose another --out, "
                f"or go on with it: resnext train --resume {run}"
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
        raise ConfigError(f"{file} holds no settings; it needs lines such as 'batch_size: 128'")
    try:
        return TrainConfig(**values)
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from None


def open_run(run: Path) -> TrainConfig:
    """Return the settings of a run to go on with.

    Raises:
        RunError: The folder is not a run.
    """
    if not (run / CONFIG).exists():
        raise RunError(f"{run} is not a run folder: it holds no {CONFIG}")
    return read_config(run)


def read_if_whole(file: Path, kind: type[ValueT]) -> ValueT | None:
    """Read a JSON file of a run that the run can do without.

    Args:
        file: The file.
        kind: `dict` or `list`: what its outermost level must be.

    Returns:
        Its value; None if there is no such file, or if it is damaged, which the log tells.
    """
    try:
        value = read_json(file)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        _LOG.warning("%s %s; it is left out", file, getattr(error, "strerror", None) or error)
        return None
    if not isinstance(value, kind):
        _LOG.warning("%s does not hold what a run writes there; it is left out", file)
        return None
    return value


def write_json(path: Path, value: dict[str, Any] | list[Any], *, is_shared: bool = False) -> None:
    """Write a JSON file whole or not at all, one line for each entry of the outermost level.

    `is_shared` says that other processes may write it at the same time; see `write_whole`.
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
    """Turn a full disk and the like into one message that says what is left.

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
        mend = "Make room" if error.errno in _NO_ROOM else "Make it a folder that can be written"
        again = f"go on with: resnext train --resume {run}"
        raise RunError(
            f"cannot write into {run}: {error.strerror}. {describe_last_good(run)} {mend}, then "
            f"{again if (run / CONFIG).exists() else 'start again'}"
        ) from None


def _lies_in(run: Path, name: object) -> bool:
    return isinstance(name, str | Path) and Path(name).is_relative_to(run)


def describe_last_good(run: Path) -> str:
    """Say what remains of a run that cannot go on."""
    for name in (LAST, PREVIOUS):  # between the two renames of a save there is only the latter
        if (run / name).exists():
            return f"The last good checkpoint is intact: {run / name}."
    return "No checkpoint had been saved yet."
