"""How every verb reads its arguments: one dataclass, whose fields tyro makes flags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import tyro

from resnext.cli.argument_types import registry
from resnext.errors import ConfigError
from resnext.untrusted.names import check_path, shown
from resnext.untrusted.stream import raw_streams
from resnext.untrusted.text import printable

ArgumentsT = TypeVar("ArgumentsT")


def parse(kind: type[ArgumentsT], argv: list[str], doc: str | None) -> ArgumentsT:
    """Read the arguments of one verb; wrong ones end the program with a message.

    Args:
        kind: A dataclass, one field a flag.
        argv: The arguments after the verb.
        doc: The verb's docstring: a summary, and examples that `--help` shows.

    Raises:
        ConfigError: A path is none that the system can take.
    """
    verb = kind.__module__.rpartition(".")[2].replace("_", " ")  # a verb is a file
    # Its colours are controls; a message that quotes odd arguments goes without.
    is_plain = all(printable(word) == word for word in argv)
    with raw_streams() if is_plain else nullcontext():
        arguments: ArgumentsT = tyro.cli(
            kind,
            prog=f"resnext {verb}",
            description=doc,
            args=argv,
            config=(tyro.conf.FlagCreatePairsOff,),
            registry=registry,
        )
    _check_paths(arguments)
    return arguments


def _check_paths(arguments: Any) -> None:
    for field in fields(arguments):
        value = getattr(arguments, field.name)
        for one in value if isinstance(value, tuple) else (value,):
            if not isinstance(one, str | Path):
                continue
            try:
                if isinstance(one, Path):
                    check_path(str(one))
                elif "\0" in one:  # a text may be more than a path, and long
                    raise ValueError("it cannot hold a NUL character")
            except ValueError as error:
                raise ConfigError(f"{shown(str(one))}: {error}") from None


def refuse_ignored(arguments: Any, actions_of: Mapping[str, Sequence[str]]) -> None:
    """Refuse options of another action, which would have no effect.

    Args:
        arguments: Of a verb whose first argument is `action`; all others have defaults.
        actions_of: The actions that each option belongs to; what is not named belongs to all.

    Raises:
        ConfigError: Such an option was given.
    """
    defaults = type(arguments)(action=arguments.action)
    for name, actions in actions_of.items():
        is_given = getattr(arguments, name) != getattr(defaults, name)
        if is_given and arguments.action not in actions:
            shown = "NAME" if name == "name" else f"--{name.replace('_', '-')}"
            raise ConfigError(
                f"{shown} has no effect on `{type(arguments).__name__.lower()} "
                f"{arguments.action}`; it belongs to {', '.join(actions)}"
            )


def check_ranges(arguments: Any, ranges: Mapping[str, tuple[int, int | None]]) -> None:
    """Refuse numbers out of range; a flag that was not given is None.

    Args:
        arguments: Of a verb.
        ranges: The least and the largest value of each flag; None is no limit.

    Raises:
        ConfigError: A flag is out of its range.
    """
    for name, (least, most) in ranges.items():
        value = getattr(arguments, name)
        if value is None or (value >= least and (most is None or value <= most)):
            continue
        accepted = f"{least} or more" if most is None else f"{least} to {most:,}"
        raise ConfigError(f"--{name.replace('_', '-')} {value}: give {accepted}")


def option(metavar: str, default: str = "") -> Any:
    """Show in `--help` an option's value, and its default where that says more than nothing."""
    hint = f"(default: {default})" if default else ""
    return tyro.conf.arg(metavar=metavar, help_behavior_hint=hint)
