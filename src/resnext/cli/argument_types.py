"""Conversion of command-line words to values, with messages for users.

tyro's own rules would report "no type matching {None}|INT could be instantiated", and treat the
word None, which may be a file name, as a missing value.
"""

from __future__ import annotations

from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo

_EXPECTED = {int: "a whole number", float: "a number", str: "a text", Path: "a path"}
_METAVARS = {int: "INT", float: "FLOAT", str: "STR", Path: "PATH"}

registry = ConstructorRegistry()
"""The rules; other types are left to tyro."""


@registry.primitive_rule
def _one(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | None:
    """Parse a number, text or path, also for optional flags."""
    kind = _without_none(info.type)
    if kind not in _EXPECTED:
        return None
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar=_METAVARS[kind],
        instance_from_str=lambda words: _read(kind, words[0]),
        is_instance=lambda value: value is None or isinstance(value, kind),
        str_from_instance=lambda value: [str(value)],
    )


@registry.primitive_rule
def _several(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | None:
    """Parse any number of numbers, texts or paths, also for optional flags."""
    listed = _without_none(info.type)
    kind, *rest = get_args(listed) or (None,)
    if get_origin(listed) is not tuple or rest != [...] or kind not in _EXPECTED:
        return None
    return PrimitiveConstructorSpec(
        nargs="*",
        metavar=f"[{_METAVARS[kind]} ...]",
        instance_from_str=lambda words: tuple(_read(kind, word) for word in words),
        is_instance=lambda value: value is None or isinstance(value, tuple),
        str_from_instance=lambda value: [str(one) for one in value or ()],
    )


@registry.primitive_rule
def _choice(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | None:
    """Parse one of several words, also for optional flags."""
    kind = _without_none(info.type)
    if get_origin(kind) is not Literal:
        return None
    values = {str(value): value for value in get_args(kind)}
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar="{" + ",".join(values) + "}",
        instance_from_str=lambda words: values[words[0]],
        is_instance=lambda value: value is None or value in values.values(),
        str_from_instance=lambda value: [str(value)],
        choices=tuple(values),
    )


def _read(kind: Any, word: str) -> Any:
    try:
        return kind(word)
    except ValueError:
        raise ValueError(f"{word!r} is not {_EXPECTED[kind]}") from None


def _without_none(kind: Any) -> Any:
    """Return the type of `kind | None`, and any other as it is."""
    options = [option for option in get_args(kind) if option is not NoneType]
    is_optional = NoneType in get_args(kind) and len(options) == 1
    return options[0] if is_optional else kind
