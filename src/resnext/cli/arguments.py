"""How every verb reads its arguments: a dataclass for each of its actions, its fields the flags."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, TypeVar, Union, get_args, get_type_hints, overload

import tyro

from resnext.api.checks import ignored
from resnext.cli.argument_types import registry
from resnext.cli.help_text import wrapped_description
from resnext.cli.option_groups import flattened, grouped
from resnext.cli.repeated import join_repeated, refuse_without_values, takes_many
from resnext.errors import ConfigError
from resnext.untrusted.names import check_path, shown, with_home
from resnext.untrusted.stream import raw_streams
from resnext.untrusted.text import printable

ArgumentsT = TypeVar("ArgumentsT")
_POSITIONAL = get_args(tyro.conf.Positional[int])[1]


@overload
def parse(
    kind: type[ArgumentsT], argv: list[str], doc: str | None, extra: str = ""
) -> ArgumentsT: ...


@overload
def parse(kind: Mapping[str, type], argv: list[str], doc: str | None) -> Any: ...


def parse(kind: Any, argv: list[str], doc: str | None, extra: str = "") -> Any:
    """Read the arguments of one verb; wrong ones end the program with a message.

    Args:
        kind: A dataclass, one field a flag; for a verb with actions, one for each.
        argv: The arguments after the verb.
        doc: The verb's docstring: a summary, and examples that `--help` shows.
        extra: The option that is probably meant by one argument too many, such as `--data`.

    Raises:
        ConfigError: An argument is empty or one too many, a path is none that the system can take,
            or a flag is another action's.
    """
    actions: Mapping[str, type] = kind if isinstance(kind, Mapping) else {}
    module = next(iter(actions.values()), kind).__module__
    verb = module.rpartition(".")[2].partition("_")[0]  # a verb is a file
    if extra:
        _refuse_extra(kind, argv, extra)
    kinds = {grouped(one): one for one in actions.values() or (kind,)}
    _refuse_empty(argv)
    argv = [_with_home(word) for word in argv]
    for one in actions.values() or (kind,):
        refuse_without_values(argv, get_type_hints(one))
    argv = join_repeated(argv, _lists(kinds.values()))
    form: Any = next(iter(kinds))
    if actions:
        argv = _begin_with_action(verb, actions, argv)
        form = Union[  # noqa: UP007 - made of a mapping
            tuple(
                Annotated[one, tyro.conf.subcommand(name)]
                for name, one in zip(actions, kinds, strict=True)
            )
        ]
    # Its colours are controls; a message that quotes odd arguments goes without.
    is_plain = all(printable(word) == word for word in argv)
    with raw_streams() if is_plain else nullcontext(), wrapped_description():
        nested = tyro.cli(
            form,
            prog=f"resnext {verb}",
            description=doc,
            args=argv,
            config=(tyro.conf.FlagCreatePairsOff,),
            registry=registry,
        )
    arguments = flattened(nested, kinds[type(nested)])
    _check_paths(arguments)
    return arguments


def _refuse_empty(argv: list[str]) -> None:
    """Refuse empty arguments: most come from shell variables that are not set.

    An empty path would be the current folder, other empty values the default.

    Raises:
        ConfigError: An argument is empty.
    """
    for before, word in pairwise(["", *argv]):
        if not word or re.fullmatch("--[A-Za-z-]+=", word):
            name = word or (before if before.startswith("--") else "an argument")
            raise ConfigError(
                f"{name.removesuffix('=')} is empty; give a value, or leave it out. In a shell, "
                "check that the variable is set"
            )


def _refuse_extra(kind: type, argv: list[str], option: str) -> None:
    """Refuse a word that belongs behind an option, as in `resnext train photos/`.

    Raises:
        ConfigError: There are more words than arguments without an option.
    """
    hints = get_type_hints(kind, include_extras=True).values()
    arguments = [hint for hint in hints if _POSITIONAL in getattr(hint, "__metadata__", ())]
    types = get_type_hints(kind)
    if not {_name(word) for word in argv if word.startswith("-")} <= {*types, "h", "help"}:
        return  # tyro says which options there are
    words = [argv[index] for index in _without_option(types, argv)]
    if len(words) > len(arguments):
        word = words[len(arguments)]
        raise ConfigError(f"{shown(word)} is one argument too many; did you mean {option} {word}?")


def _with_home(word: str) -> str:
    """Replace `~/` at the beginning of a value, as in `--out=~/photos.onnx`."""
    flag, sign, value = word.partition("=") if word.startswith("--") else ("", "", word)
    return f"{flag}{sign}{with_home(value)}"


def _lists(kinds: Iterable[type]) -> set[str]:
    """Return the options that take any number of values in every action that has them."""
    hints = [item for kind in kinds for item in get_type_hints(kind).items()]
    single = {name for name, hint in hints if not takes_many(hint)}
    return {f"--{name.replace('_', '-')}" for name, _ in hints if name not in single}


def _begin_with_action(verb: str, actions: Mapping[str, type], argv: list[str]) -> list[str]:
    """Put the action before its options, and refuse options of another one.

    Raises:
        ConfigError: There is no such action, or an option would have no effect.
    """
    index = _index_of_action(actions, argv)
    if index is None:  # `--help`, or tyro says what is wrong
        return argv
    if argv[index] not in actions:
        accepted = ", ".join(actions)
        raise ConfigError(
            f"{shown(argv[index])} is not an action of `resnext {verb}`; give {accepted}"
        )
    action, words = argv[index], [*argv[:index], *argv[index + 1 :]]
    given = {_name(word): word.partition("=")[0] for word in words if word.startswith("--")}
    if words and not words[0].startswith("-"):
        given.setdefault("name", "NAME")
    for name, flag in given.items():
        owners = [other for other, kind in actions.items() if name in get_type_hints(kind)]
        if owners and action not in owners:
            raise ignored(flag, ", ".join(owners), f"on `{verb} {action}`")
    return [action, *words]


def _index_of_action(actions: Mapping[str, type], argv: list[str]) -> int | None:
    """Find the first word that is no option and no option's value."""
    types = {name: t for kind in actions.values() for name, t in get_type_hints(kind).items()}
    return next(_without_option(types, argv), None)


def _without_option(types: Mapping[str, Any], argv: list[str]) -> Iterator[int]:
    """Yield the indices of the words that are no option and no option's value."""
    num_values = 0
    for index, word in enumerate(argv):
        if word.startswith("-"):
            kind = types.get(_name(word), bool)
            num_values = (
                0 if kind is bool or "=" in word else sys.maxsize if takes_many(kind) else 1
            )
        elif num_values:
            num_values -= 1
        else:
            yield index


def _name(flag: str) -> str:
    return flag.lstrip("-").partition("=")[0].replace("-", "_")


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


def option(metavar: str, default: str = "") -> Any:
    """Show in `--help` an option's value, and its default where that says more than nothing."""
    hint = f"(default: {default})" if default else ""
    return tyro.conf.arg(metavar=metavar, help_behavior_hint=hint)
