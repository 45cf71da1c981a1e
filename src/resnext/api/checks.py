"""Checks of requests: ranges, choices, options without effect."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from numbers import Integral, Real
from typing import Any

from resnext.errors import ConfigError
from resnext.untrusted.names import shown


def check_choice(name: str, given: object, accepted: Sequence[str]) -> None:
    """Check a choice.

    Args:
        name: Name of the option, for the message.
        given: The choice.
        accepted: The accepted choices.

    Raises:
        ConfigError: It is not one of them; the message suggests a similar one.
    """
    if given in accepted:
        return
    near = difflib.get_close_matches(str(given), accepted, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"accepted are {', '.join(accepted)}"
    raise ConfigError(f"{name}={shown(given)}: {hint}")


def ignored(flag: str, owner: str, where: str = "here") -> ConfigError:
    """Return the error of a flag that would have no effect.

    Args:
        flag: The given flag.
        owner: The action or flag that it belongs to.
        where: Where it has no effect.
    """
    return ConfigError(f"{flag} has no effect {where}; it belongs to {owner}")


def refuse_ignored(arguments: Any, names: Iterable[str], owner: str) -> None:
    """Refuse flags that would have no effect.

    Args:
        arguments: Arguments of a verb.
        names: Flags that need another one; they have defaults.
        owner: The other flag.

    Raises:
        ConfigError: One of them was given.
    """
    defaults = {field.name: field.default for field in fields(arguments)}
    for name in names:
        if getattr(arguments, name) != defaults[name]:
            raise ignored(f"--{name.replace('_', '-')}", owner)


def check_ranges(arguments: Any, ranges: Mapping[str, tuple[int, int | None]]) -> None:
    """Check the ranges of numbers; a flag that was not given is None.

    Args:
        arguments: Arguments of a verb.
        ranges: Minimum and maximum of each flag; None means no limit.

    Raises:
        ConfigError: A flag is out of its range, or no number.
    """
    for name, (least, most) in ranges.items():
        given = getattr(arguments, name)
        for value in given if isinstance(given, tuple) else (given,):
            if value is None or _is_within(value, least, most):
                continue
            accepted = f"{least} or more" if most is None else f"{least} to {most:,}"
            raise ConfigError(f"--{name.replace('_', '-')} {shown(value)}: give {accepted}")


def check_number(name: str, given: object, least: int, most: int | None = None) -> None:
    """Check an argument that is a whole number or None.

    Raises:
        ConfigError: It is something else, or out of range.
    """
    if given is None or (isinstance(given, Integral) and _is_within(given, least, most)):
        return
    accepted = f"{least} or more" if most is None else f"{least} to {most:,}"
    raise ConfigError(f"{name}={shown(given)}: give a whole number, {accepted}")


def check_numbers(name: str, given: Any, least: int) -> None:
    """Check an argument that is a list of whole numbers.

    Raises:
        ConfigError: It is something else, or a number is too small.
    """
    if not isinstance(given, Sequence) or None in given:
        raise ConfigError(f"{name}={shown(given)}: give a list of whole numbers, such as [0, 1, 2]")
    for number in given:
        check_number(name, number, least)


def check_words(name: str, given: Any) -> None:
    """Check an argument that is a list of texts or None.

    Raises:
        ConfigError: It is something else, such as a single text.
    """
    if given is None:
        return
    is_list = isinstance(given, Sequence) and not isinstance(given, str)
    if not is_list or not all(isinstance(one, str) for one in given):
        raise ConfigError(f"{name}={shown(given)}: give a list of texts, such as ['cat', 'dog']")


def _is_within(value: Any, least: int, most: int | None) -> bool:
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    return is_number and least <= value and (most is None or value <= most)
