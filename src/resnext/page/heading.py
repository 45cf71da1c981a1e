"""The heading of the page: the served network and its classes."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from resnext.class_lists import readable
from resnext.model.names import name_of
from resnext.untrusted.text import printable

if TYPE_CHECKING:
    from resnext.model.trained import TrainedNetwork
    from resnext.runtimes.exported import Exported

_MAX_CLASSES = 10
_MAX_CLASS_CHARS = 40


def heading(model: TrainedNetwork | Exported, name: str) -> str:
    """Return the heading as HTML.

    Args:
        model: The network that is served.
        name: Its name; by default its architecture.
    """
    architecture = name_of(model.config)
    title = escape(printable(name or architecture))
    kind = f"{escape(architecture)}, {_classes(model.classes)}"
    return f'<h1>{title}</h1><p class="soft">{kind}</p>'


def _classes(classes: tuple[str, ...]) -> str:
    """Return the number of classes and the first of their names."""
    names = [_shortened(printable(readable(name))) for name in classes[:_MAX_CLASSES]]
    more = ", …" if len(classes) > _MAX_CLASSES else ""
    plural = "class" if len(classes) == 1 else "classes"
    return f"{len(classes):,} {plural}: {escape(', '.join(names))}{more}"


def _shortened(name: str) -> str:
    return name if len(name) <= _MAX_CLASS_CHARS else f"{name[: _MAX_CLASS_CHARS - 1]}…"
