"""How every verb reads its arguments: one dataclass, whose fields tyro makes flags."""

from __future__ import annotations

from typing import Any, TypeVar

import tyro

ArgumentsT = TypeVar("ArgumentsT")


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
