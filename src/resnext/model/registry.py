"""The registry of parts: filled by a decorator, used by names and configs.

A name in a file or on a command line can only select a registered part; others are refused.
`resnext.plugins` imports modules that register parts if the command line, an environment variable
or a program requests it, and never because of a file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from resnext import plugins
from resnext.errors import ConfigError, PluginError
from resnext.model.missing_part import missing_part
from resnext.model.parts import PLUGIN, BlockPart, Part, ShortcutPart, StemPart
from resnext.untrusted.names import shown

PartT = TypeVar("PartT", bound=Part)

_NAME = re.compile(r"[a-z][a-z0-9]{0,29}")
_TAKEN = {"basic", "bottleneck", "cifar", "imagenet", "none", "a", "b", "c"}
_OWN_KEYS = {"name", PLUGIN}

_parts: dict[str, type[Part]] = {}
_accepts_missing = ContextVar("accepts_missing", default=False)


@contextmanager
def accept_missing() -> Iterator[None]:
    """Allow reading networks with unregistered parts, if they are never built.

    An exported file works without the code of its parts.
    """
    token = _accepts_missing.set(True)
    try:
        yield
    finally:
        _accepts_missing.reset(token)


def register(name: str) -> Callable[[type[PartT]], type[PartT]]:
    """Register a part under a name; a class decorator.

    Args:
        name: A letter followed by letters or digits, all lower case; it becomes part of network
            names, such as `resnext50_32x4d_pooled`.

    Raises:
        ConfigError: The name is not valid, or used by another part.
    """
    if not _NAME.fullmatch(name) or name in _TAKEN:
        raise ConfigError(
            f"a part named {name!r}: give a letter followed by up to 29 letters or digits, all "
            f"lower case, and not one of {', '.join(sorted(_TAKEN))}"
        )

    def add(part: type[PartT]) -> type[PartT]:
        if not issubclass(part, BlockPart | StemPart | ShortcutPart):
            raise ConfigError(
                f"{part.__name__} is not a part; derive it from BlockPart, StemPart or ShortcutPart"
            )
        if clash := _OWN_KEYS & part.model_fields.keys():
            raise ConfigError(
                f"{part.__name__}: rename its setting {clash.pop()!r}, which is reserved"
            )
        known = _parts.get(name)
        if known is not None and _origin(known) != _origin(part):
            raise ConfigError(
                f"{name!r} is registered twice, by {'.'.join(_origin(known))} and "
                f"{'.'.join(_origin(part))}; rename one"
            )
        part.name = name
        _parts[name] = part
        return part

    return add


def _origin(part: type[Part]) -> tuple[str, str]:
    """Return where a class is defined; a re-executed definition, as in notebooks, replaces it."""
    return part.__module__, part.__qualname__


def registered(kind: type[PartT]) -> dict[str, type[PartT]]:
    """Return the parts of a kind by name."""
    plugins.load_from_environment()
    return {name: part for name, part in _parts.items() if issubclass(part, kind)}


def find_part(name: str) -> type[Part] | None:
    """Return the part with a name, if registered."""
    if name not in _parts:
        plugins.load_from_environment()
    return _parts.get(name)


def read_part(kind: type[PartT], builtin: tuple[str, ...], given: Any) -> str | PartT:
    """Resolve a setting that accepts a built-in name or a part.

    Args:
        kind: The part's kind.
        builtin: The built-in names.
        given: A name, a group of settings with a `name`, or a part.

    Raises:
        ConfigError: Nothing of this kind has the name, or a setting of the part is wrong.
    """
    if isinstance(given, kind):
        return given
    if isinstance(given, str) and given in builtin:
        return given
    values = {"name": given} if isinstance(given, str) else given
    if not isinstance(values, dict) or not isinstance(values.get("name"), str):
        raise ValueError(
            f"give {_listed(kind, builtin)}, or a group of settings such as {{name: NAME, ...}}"
        )
    part = find_part(values["name"])
    if part is None and _accepts_missing.get():
        return missing_part(kind, values)
    if part is None or not issubclass(part, kind):
        raise ValueError(_unknown(kind, builtin, values))
    try:
        return part(**{key: value for key, value in values.items() if key not in _OWN_KEYS})
    except (ConfigError, TypeError) as error:
        raise ConfigError(f"{part.name!r}: {error}") from None


def check_registered(values: dict[str, Any]) -> None:
    """Check the parts of a network in a file before reading its settings.

    Raises:
        PluginError: One of them is not registered.
    """
    for kind in (BlockPart, StemPart, ShortcutPart):
        given = values.get(kind.kind)
        name = given.get("name") if isinstance(given, dict) else None
        if isinstance(given, dict) and isinstance(name, str) and not _is_known(name):
            where = f" of plugin {shown(given[PLUGIN])}" if PLUGIN in given else ""
            raise PluginError(
                f"its network has the {kind.kind} {shown(name)}{where}, which is not registered. "
                f"{plugins.ADVICE}"
            )


def _is_known(name: str) -> bool:
    return find_part(name) is not None or _accepts_missing.get()


def _unknown(kind: type[Part], builtin: tuple[str, ...], values: dict[str, Any]) -> str:
    origin = values.get(PLUGIN)
    where = f"; plugin {shown(origin)} registers it" if isinstance(origin, str) else ""
    return (
        f"no {kind.kind} is registered as {shown(values['name'])}{where}; accepted are "
        f"{_listed(kind, builtin)}. {plugins.ADVICE}"
    )


def _listed(kind: type[Part], builtin: tuple[str, ...]) -> str:
    return ", ".join([*builtin, *sorted(registered(kind))])
