"""A placeholder for an unregistered part, in networks that are read but never built."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

from resnext.errors import PluginError
from resnext.model.parts import Part, StemPart
from resnext.plugins import ADVICE
from resnext.untrusted.names import shown

PartT = TypeVar("PartT", bound=Part)

_MAX_NAME = 30


def missing_part(kind: type[PartT], values: dict[str, Any]) -> PartT:
    """Return a placeholder that keeps the settings in a file.

    Raises:
        ValueError: Its name in the file is too long.
    """
    name = values["name"]
    if len(name) > _MAX_NAME or not name.isalnum():
        raise ValueError(f"no {kind.kind} can be named {shown(name)}")

    def as_dict(_: Any) -> dict[str, Any]:
        return dict(values)

    def refuse(*_: Any) -> NoReturn:
        raise PluginError(
            f"the {kind.kind} {name!r} is not registered, so it cannot be counted or built. "
            f"{ADVICE}"
        )

    members = {"name": name, "as_dict": as_dict, "is_missing": True, "__module__": __name__}
    members |= dict.fromkeys(("build", "count"), refuse)
    if kind is StemPart:
        members["stride"] = property(refuse)
    metaclass: Any = type(kind)
    part: PartT = metaclass(f"Missing{kind.__name__}", (kind,), members)()
    return part
