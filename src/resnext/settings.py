"""The base of every config: frozen, typed, and clear about what is wrong."""

from __future__ import annotations

import difflib
import operator
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self, TypeVar, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationError,
    model_validator,
)

from resnext.errors import ConfigError
from resnext.untrusted.names import check_path, shown, with_home
from resnext.untrusted.parse import parse_yaml
from resnext.untrusted.text import printable

_NUM_NAMED = 5
_MAX_NAME = 60
_MAX_TEXT = 1000


class Settings(BaseModel):
    """A frozen, validated group of settings; a wrong one raises `ConfigError`."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False
    )

    if not TYPE_CHECKING:  # the type checker keeps the typed constructor that pydantic derives

        def __init__(self, /, **values: Any) -> None:
            try:
                super().__init__(**values)
            except ValidationError as error:
                raise ConfigError(_message(type(self), error)) from None

    @model_validator(mode="before")
    @classmethod
    def _refuse_truth_for_numbers(cls, values: Any) -> Any:
        """Refuse True and False where pydantic would convert them to 1 and 0."""
        for name, value in values.items() if isinstance(values, dict) else ():
            entries = value if isinstance(value, list | tuple) else (value,)
            if name not in cls.model_fields or not any(isinstance(e, bool) for e in entries):
                continue
            if not _takes_truth(cls.model_fields[name].annotation):
                raise ConfigError(f"{name}={value!r}: true and false are not accepted here")
        return values

    def replace(self, /, **changes: Any) -> Self:
        """Return a validated copy with some settings changed.

        Raises:
            ConfigError: A setting is unknown or its value is not accepted.
        """
        return type(self)(**{**self._given(), **changes})

    def _given(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in type(self).model_fields}


def _takes_truth(annotation: Any) -> bool:
    """Return whether a type accepts True and False."""
    if annotation in (bool, Any, object):
        return True
    parts = get_args(annotation)
    return any(isinstance(part, bool) or _takes_truth(part) for part in parts)


def _whole(value: Any) -> Any:
    """Refuse values that pydantic would convert to an integer: True, 10.0, "10"."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise ValueError(f"is not a whole number, such as 10, but of type {type(value).__name__}")
    return operator.index(value)  # NumPy's integers too


Whole = Annotated[int, BeforeValidator(_whole)]
"""An integer; other types are not converted."""


def _checked_path(value: object) -> object:
    return Path(check_path(with_home(str(value)))) if isinstance(value, str | Path) else value


SystemPath = Annotated[Path, BeforeValidator(_checked_path)]
"""A path that is valid on this system."""


class FiniteSettings(Settings):
    """Settings whose numbers are all finite."""

    model_config = ConfigDict(allow_inf_nan=False)


def _message(owner: type[Settings], error: ValidationError) -> str:
    """Describe each bad setting: its name, its value and what is accepted."""
    lines = []
    problems = error.errors()
    if any(problem["type"] != "too_short" for problem in problems):
        # a list whose entries are wrong counts as too short as well
        problems = [problem for problem in problems if problem["type"] != "too_short"]
    for problem in problems[:_NUM_NAMED]:
        where = ".".join(_part(part) for part in problem["loc"])
        text = _IN_PLAIN_WORDS.get(problem["type"], problem["msg"].removeprefix("Value error, "))
        if problem["type"] == "extra_forbidden":
            text = f"no such setting{_suggestion(where, owner)}"
            lines.append(f"{where}: {text}")
        elif problem["type"] == "missing":  # its input is the whole group
            lines.append(f"{where}: is required")
        elif not where or isinstance(problem.get("ctx", {}).get("error"), ConfigError):
            lines.append(f"{where}: {text}" if where else text)
        else:
            given = problem["input"]
            given = str(given) if isinstance(given, Path) else given
            lines.append(f"{where}={shown(given)}: {text}")
    if len(problems) > _NUM_NAMED:
        lines.append(f"and {len(problems) - _NUM_NAMED} more")
    return "; ".join(_cut(printable(line)) for line in lines)


def _part(part: str | int) -> str:
    """Escape a part of a setting's name, which may be untrusted."""
    return str(part) if len(str(part)) <= _MAX_NAME else shown(part)


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}..."


_IN_PLAIN_WORDS = {
    "tuple_type": "give a list, such as [1, 2] or [digits]",
    "dict_type": "give a group of settings, such as {schedule.epochs: 10}",
}


def _suggestion(given: str, owner: type[Settings]) -> str:
    """Suggest the intended setting: in a group, or with a similar name."""
    known = list(owner.model_fields)
    groups = {name: field.annotation for name, field in owner.model_fields.items()}
    in_groups = [
        f"{name}.{given}"
        for name, group in groups.items()
        if isinstance(group, type) and issubclass(group, Settings) and given in group.model_fields
    ]
    near = in_groups or difflib.get_close_matches(given.rpartition(".")[2], known, n=1)
    if near:
        return f"; did you mean {' or '.join(map(repr, near))}?"
    return f"; accepted are {', '.join(known)}"


SettingsT = TypeVar("SettingsT", bound=Settings)


def override(settings: SettingsT, key: str, value: Any) -> SettingsT:
    """Return settings with one of them changed.

    Args:
        settings: The settings.
        key: Its name, with dots into nested groups: `optim.lr`.
        value: The value, or its text in YAML.

    Raises:
        ConfigError: There is no such setting, or it does not accept the value.
    """
    return override_together(settings, [(key, value)])


def override_together(settings: SettingsT, changes: Iterable[tuple[str, Any]]) -> SettingsT:
    """Return settings with several of them changed at once, as one may need another.

    Args:
        settings: The settings.
        changes: Name and value of each, as for `override`.

    Raises:
        ConfigError: There is no such setting, or it does not accept the value.
    """
    values: dict[str, Any] = {}
    in_groups: dict[str, list[tuple[str, Any]]] = {}
    for key, value in changes:
        name, _, rest = key.partition(".")
        if rest:
            in_groups.setdefault(name, []).append((rest, value))
        else:
            values[name] = _parse(key, value) if isinstance(value, str) else value
            in_groups.pop(name, None)  # the whole group is replaced
    if whole := {name: values.pop(name) for name in in_groups if name in values}:
        settings = settings.replace(**whole)
    for name, inner in in_groups.items():
        values[name] = _override_group(settings, name, inner)
    return settings.replace(**values)


def _override_group(settings: Settings, name: str, changes: list[tuple[str, Any]]) -> Settings:
    group = getattr(settings, name, None)
    if not isinstance(group, Settings):
        groups = [n for n, v in settings if isinstance(v, Settings)]
        raise ConfigError(
            f"{name}.{changes[0][0]}: there is no group {name!r}; groups are "
            f"{', '.join(groups) or 'none'}"
        )
    try:
        return override_together(group, changes)
    except ConfigError as error:
        raise ConfigError(_in_group(name, group, str(error))) from None


def _in_group(name: str, group: Settings, message: str) -> str:
    """Prefix a setting's name at the start of a message with its group."""
    setting = re.match(r"\w*", message)
    is_setting = setting is not None and setting[0] in type(group).model_fields
    return f"{name}.{message}" if is_setting else f"{name}: {message}"


def override_all(settings: SettingsT, assignments: Iterable[str]) -> SettingsT:
    """Return settings changed by texts such as `optim.lr=0.1`.

    Raises:
        ConfigError: A text is not an assignment, or `override` does not accept it.
    """
    return override_together(settings, map(read_assignment, assignments))


def read_assignment(text: str) -> tuple[str, str]:
    """Return the setting and the value's text of `optim.lr=0.1`.

    Raises:
        ConfigError: It is not an assignment.
    """
    key, separator, value = text.partition("=")
    if not separator:
        raise ConfigError(f"--set {text!r}: write KEY=VALUE, such as optim.weight_decay=1e-4")
    return key, value


def _parse(key: str, text: str) -> Any:
    if text.isspace():  # a separator; for YAML it would be nothing
        return text
    try:
        return parse_yaml(text)
    except ValueError as error:
        raise ConfigError(
            f"{printable(key)}={shown(text)} {error}; give a value such as 0.1, true or [1, 2]"
        ) from None
