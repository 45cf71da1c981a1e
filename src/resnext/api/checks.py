"""Checks of what is asked for that no single value decides: ranges, choices, what has no effect."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from resnext.errors import ConfigError
from resnext.untrusted.names import shown


def check_choice(name: str, given: object, accepted: Sequence[str]) -> None:
    """Refuse a word that is not among those to choose from.

    Args:
        name: What is chosen, for the message.
        given: The choice.
        accepted: The words.

    Raises:
        ConfigError: It is none of them; the message names the nearest.
    """
    if given in accepted:
        return
    near = difflib.get_close_matches(str(given), accepted, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"accepted are {', '.join(accepted)}"
    raise ConfigError(f"{name}={shown(given)}: {hint}")


def ignored(flag: str, owner: str, where: str = "here") -> ConfigError:
    """Return the error of a flag that would have no effect.

    Args:
        flag: As it was given.
        owner: The action or flag that it belongs to.
        where: Where it has no effect.
    """
    return ConfigError(f"{flag} has no effect {where}; it belongs to {owner}")


def refuse_ignored(arguments: Any, names: Iterable[str], owner: str) -> None:
    """Refuse flags that would have no effect.

    Args:
        arguments: Of a verb.
        names: The flags that go with another one only; they have defaults.
        owner: That one.

    Raises:
        ConfigError: One of them was given.
    """
    defaults = {field.name: field.default for field in fields(arguments)}
    for name in names:
        if getattr(arguments, name) != defaults[name]:
            raise ignored(f"--{name.replace('_', '-')}", owner)


def check_ranges(arguments: Any, ranges: Mapping[str, tuple[int, int | None]]) -> None:
    """Refuse numbers out of range; a flag that was not given is None.

    Args:
        arguments: Of a verb.
        ranges: The least and the largest value of each flag; None is no limit.

    Raises:
        ConfigError: A flag is out of its range.
    """
    for name, (least, most) in ranges.items():
        given = getattr(arguments, name)
        for value in given if isinstance(given, tuple) else (given,):
            if value is None or (value >= least and (most is None or value <= most)):
                continue
            accepted = f"{least} or more" if most is None else f"{least} to {most:,}"
            raise ConfigError(f"--{name.replace('_', '-')} {value}: give {accepted}")
