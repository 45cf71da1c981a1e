"""How every verb reads its arguments: tyro for the flags, dotted keys for nested settings."""

from __future__ import annotations

from typing import Any, TypeVar

import tyro
import yaml

from resnext.errors import ConfigError
from resnext.settings import Settings

ArgumentsT = TypeVar("ArgumentsT")
SettingsT = TypeVar("SettingsT", bound=Settings)


def parse(kind: type[ArgumentsT], argv: list[str], doc: str | None) -> ArgumentsT:
    """Read the arguments of one verb; wrong ones end the program with a message.

    Args:
        kind: A dataclass, one field a flag.
        argv: The arguments after the verb.
        doc: The verb's docstring: a summary, and examples that `--help` shows.
    """
    verb = kind.__name__.lower()
    return tyro.cli(
        kind,
        prog=f"resnext {verb}",
        description=doc,
        args=argv,
        config=(tyro.conf.FlagCreatePairsOff,),
    )


def option(metavar: str, default: str = "") -> Any:
    """Show in `--help` an option's value, and its default where that says more than nothing."""
    hint = f"(default: {default})" if default else ""
    return tyro.conf.arg(metavar=metavar, help_behavior_hint=hint)


def override(settings: SettingsT, key: str, value: Any) -> SettingsT:
    """Return settings with one of them changed.

    Args:
        settings: The settings.
        key: Its name, with dots into nested groups: `optim.lr`.
        value: The value, or its text in YAML.

    Raises:
        ConfigError: There is no such setting, or it does not accept the value.
    """
    name, _, rest = key.partition(".")
    if rest:
        group = getattr(settings, name, None)
        if not isinstance(group, Settings):
            groups = [n for n, v in settings if isinstance(v, Settings)]
            raise ConfigError(f"{key}: no group {name!r}; groups are {', '.join(groups) or 'none'}")
        return settings.replace(**{name: override(group, rest, value)})
    return settings.replace(**{name: _parse(key, value) if isinstance(value, str) else value})


def _parse(key: str, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        raise ConfigError(
            f"{key}={text!r}: not a YAML value, such as 0.1, true or [1, 2]"
        ) from None
