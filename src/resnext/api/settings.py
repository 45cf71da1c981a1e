"""Converts keywords and dotted settings to command-line form."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from os import PathLike, fspath
from typing import Any

from resnext.errors import ConfigError
from resnext.settings import Settings
from resnext.untrusted.names import shown


def check_names(given: Iterable[str], accepted: Iterable[str]) -> None:
    """Check the keywords of a function.

    Args:
        given: The keywords.
        accepted: The accepted keywords.

    Raises:
        ConfigError: One is unknown; the message suggests a similar one.
    """
    known = list(accepted)
    for name in given:
        if name in known:
            continue
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"accepted are {', '.join(known)}"
        dotted = "; give settings of config.yaml as settings={'group.name': value}"
        raise ConfigError(f"{name}: no such setting; {hint}{dotted}")


def as_assignments(settings: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Return settings as assignments for `--set`.

    Args:
        settings: Values by dotted name, such as `{"schedule.epochs": 3}`.

    Raises:
        ConfigError: They are not a mapping, or a value cannot be stored in YAML.
    """
    if settings is None:
        return ()
    if not isinstance(settings, Mapping):
        raise ConfigError(
            f"settings={shown(settings)}: give a dict such as {{'optim.weight_decay': 1e-4}}"
        )
    return tuple(f"{_name(key)}={_text(key, value)}" for key, value in settings.items())


def _name(key: object) -> str:
    if not isinstance(key, str) or not key or "=" in key:
        raise ConfigError(f"settings: {shown(key)} is not a name such as 'optim.weight_decay'")
    return key


def _text(key: str, value: object) -> str:
    try:
        return json.dumps(value, default=_plain, ensure_ascii=False)
    except (TypeError, ValueError):
        raise ConfigError(
            f"{key}={shown(value)}: give a number, a text, true or false, a list or a dict"
        ) from None


def _plain(value: Any) -> Any:
    """Convert a path, a group of settings or a numpy array to JSON values."""
    if isinstance(value, Settings):
        return value.model_dump(mode="json")
    if isinstance(value, PathLike):
        return fspath(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError
