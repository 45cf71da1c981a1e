"""Options that take several values and may be given several times: `--set a=1 --set b=2`."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import Any, get_args, get_origin

from resnext.errors import ConfigError

_OPTION = re.compile(r"--?[A-Za-z]")


def takes_many(hint: Any) -> bool:
    """Return whether an option of a type takes any number of values."""
    if get_origin(hint) is tuple:
        return get_args(hint)[-1:] == (...,)
    return any(takes_many(part) for part in get_args(hint) if part is not ...)


def join_repeated(argv: Sequence[str], many: Collection[str]) -> list[str]:
    """Put the values of an option that is given several times behind its first occurrence.

    The parser would keep those of the last one only.

    Args:
        argv: The arguments of a verb.
        many: Options that take any number of values, such as `--set`.
    """
    groups: list[list[str]] = [[]]  # each begins with an option, but for the first
    for index, word in enumerate(argv):
        if word == "--":
            groups.append(list(argv[index:]))
            break
        if _OPTION.match(word):
            flag, is_joined, value = word.partition("=")
            is_list = bool(is_joined) and flag.replace("_", "-") in many
            groups.append([flag, value] if is_list else [word])
        else:
            groups[-1].append(word)
    first: dict[str, list[str]] = {}
    kept = []
    for group in groups:
        name = group[0].replace("_", "-") if group else ""
        if name in first:
            first[name] += group[1:]
            continue
        if name in many:
            first[name] = group
        kept.append(group)
    return [word for group in kept for word in group]


def refuse_without_values(argv: Sequence[str], hints: Mapping[str, Any]) -> None:
    """Refuse lists without values: the verb would run as if they were not given.

    Args:
        argv: The arguments of a verb.
        hints: Types of its options, such as `{"seeds": tuple[int, ...]}`. A list that may be None
            means something without values too, as `--find-lr` does.

    Raises:
        ConfigError: A list has no values.
    """
    if {"-h", "--help"} & set(argv):
        return
    lists = {f"--{name.replace('_', '-')}" for name, hint in hints.items() if _is_list(hint)}
    for word, following in pairwise([*argv, "--end"]):
        if word == "--":
            return
        if word.replace("_", "-") in lists and (following == "--" or _OPTION.match(following)):
            raise ConfigError(f"{word}: give one or more values, or leave the option out")


def _is_list(hint: Any) -> bool:
    return get_origin(hint) is tuple and takes_many(hint)
